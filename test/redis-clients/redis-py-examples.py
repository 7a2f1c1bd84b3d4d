# The first examples of redis-py's documentation, then its pipelines, transactions and scans. Prints `all right`.
import sys
import redis

port = int(sys.argv[1])
r = redis.Redis(host="127.0.0.1", port=port, db=0)
r.flushall()
assert r.set("foo", "bar") is True
assert r.get("foo") == b"bar"
assert r.ping() is True

text = redis.Redis(host="127.0.0.1", port=port, decode_responses=True)
assert text.set("key", "wert \u00e4\u00f6\u00fc", ex=100, nx=True) is True
assert text.set("key", "again", nx=True) is None
assert text.get("key") == "wert \u00e4\u00f6\u00fc"
assert 95 <= text.ttl("key") <= 100
assert text.incr("n", 5) == 5 and text.decr("n") == 4
assert text.incrbyfloat("f", 1.5) == 1.5
assert text.mset({"a": 1, "b": 2}) is True
assert text.mget("a", "b", "none") == ["1", "2", None]
assert text.exists("a", "b", "none") == 2
assert text.type("a") == "string" and text.type("none") == "none"
assert text.rename("a", "c") is True
assert sorted(text.keys("*")) == ["b", "c", "f", "foo", "key", "n"]

pipe = text.pipeline()
pipe.set("x", "1").incr("x").get("x")
assert pipe.execute() == [True, 2, "2"]

with text.pipeline() as guarded:
    guarded.watch("x")
    current = int(guarded.get("x"))
    guarded.multi()
    guarded.set("x", current + 1)
    assert guarded.execute() == [True]

with text.pipeline() as guarded:
    guarded.watch("x")
    r.set("x", "somebody else")
    guarded.multi()
    guarded.set("x", "mine")
    try:
        guarded.execute()
        raise AssertionError("the watched key had changed")
    except redis.WatchError:
        pass

try:
    text.incr("x")
    raise AssertionError("no number")
except redis.ResponseError as error:
    assert str(error) == "value is not an integer or out of range", error

for number in range(500):
    text.set(f"scan:{number}", number)
assert len(set(text.scan_iter(match="scan:*", count=50))) == 500
assert text.info("server")["redis_mode"] == "standalone"
assert text.config_get("appendfsync") == {"appendfsync": "always"}
assert text.client_setname("python") is True and text.client_getname() == "python"

with text.pipeline(transaction=False) as plain:
    for number in range(1000):
        plain.set("last", number)
    plain.get("last")
    assert plain.execute()[-1] == "999"

print("all right")
