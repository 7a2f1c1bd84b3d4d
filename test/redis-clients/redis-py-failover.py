# Writes and counts through one node while somebody else kills the leader: prints `ready`, waits for a line, goes on.
# Every acknowledged write must be there in the end, and the counter must lie between what was acknowledged and what
# may have been. Prints `all right`.
import sys
import redis

ENOUGH = 200
port = int(sys.argv[1])
r = redis.Redis(host="127.0.0.1", port=port, decode_responses=True, socket_timeout=10)
acknowledged = []
certain = 0
perhaps = 0


def one(number):
    global certain, perhaps
    try:
        if r.set(f"py:{number}", number):
            acknowledged.append(number)
    except redis.RedisError as error:
        passing(error)
    try:
        r.incr("py:counted")
        certain += 1
    except redis.RedisError as error:
        if passing(error):
            perhaps += 1


def passing(error):
    """True when the command may have been carried out; what should not happen at all is raised."""
    text = str(error)
    if text.startswith(("CLUSTERDOWN", "TRYAGAIN")):
        return False
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError)) or text.startswith("TIMEOUT"):
        return True
    raise error


def write(enough):
    number = write.next
    while len(acknowledged) < enough:
        one(number)
        number += 1
        if number > 100_000:
            raise AssertionError(f"{len(acknowledged)} of {number} writes acknowledged")
    write.next = number


write.next = 0
write(ENOUGH)
print("ready", flush=True)
sys.stdin.readline()
write(2 * ENOUGH)
while True:
    try:
        values = r.mget([f"py:{number}" for number in acknowledged])
        counted = int(r.get("py:counted"))
        break
    except redis.RedisError as error:
        passing(error)
assert values == [str(number) for number in acknowledged], values
assert certain <= counted <= certain + perhaps, (certain, counted, perhaps)
print("all right")
