// The commands of the RESP surface: arity, flags and key positions as Redis 7 gives them to clients, in one table
// that arity errors, MULTI, cluster-wide routing and the COMMAND command all read. What they do is engine/node.

export interface RespCommandSpec {
  /** Lower case; a subcommand's is `client|id`. */
  readonly name: string;
  /** Arguments, the name included; negative: at least so many. */
  readonly arity: number;
  readonly flags: readonly string[];
  /** Positions of keys among the arguments; lastKey may count from the end. 0: no keys. */
  readonly firstKey: number;
  readonly lastKey: number;
  readonly keyStep: number;
  readonly group: string;
  readonly since: string;
  readonly summary: string;
  readonly subcommands: readonly RespCommandSpec[];
}

// name arity flags first,last,step group since summary. Subcommands follow theirs.
const TABLE = `
get 2 readonly,fast 1,1,1 string 1.0.0 Gives the value of a key
set -3 write,denyoom 1,1,1 string 1.0.0 Gives a key a value, perhaps on a condition, perhaps with an end
setnx 3 write,denyoom,fast 1,1,1 string 1.0.0 Sets a key that does not exist
setex 4 write,denyoom 1,1,1 string 2.0.0 Sets a key that ends after some seconds
psetex 4 write,denyoom 1,1,1 string 2.6.0 Sets a key that ends after some milliseconds
mget -2 readonly,fast 1,-1,1 string 1.0.0 Gives the values of several keys
mset -3 write,denyoom 1,-1,2 string 1.0.1 Sets several keys at once
msetnx -3 write,denyoom 1,-1,2 string 1.0.1 Sets several keys, or none when one of them exists
getset 3 write,denyoom,fast 1,1,1 string 1.0.0 Sets a key and gives its former value
getdel 2 write,fast 1,1,1 string 6.2.0 Gives the value of a key and deletes it
getex -2 write,fast 1,1,1 string 6.2.0 Gives the value of a key and changes its end
append 3 write,denyoom,fast 1,1,1 string 2.0.0 Adds to the end of a value
strlen 2 readonly,fast 1,1,1 string 2.2.0 Gives the length of a value
getrange 4 readonly 1,1,1 string 2.4.0 Gives a part of a value
substr 4 readonly 1,1,1 string 1.0.0 Gives a part of a value (an older name of GETRANGE)
setrange 4 write,denyoom 1,1,1 string 2.2.0 Overwrites a part of a value
incr 2 write,denyoom,fast 1,1,1 string 1.0.0 Adds 1 to a number
decr 2 write,denyoom,fast 1,1,1 string 1.0.0 Takes 1 from a number
incrby 3 write,denyoom,fast 1,1,1 string 1.0.0 Adds to a number
decrby 3 write,denyoom,fast 1,1,1 string 1.0.0 Takes from a number
incrbyfloat 3 write,denyoom,fast 1,1,1 string 2.6.0 Adds to a number with a fraction
lcs -3 readonly 1,2,1 string 7.0.0 Finds the longest common subsequence of two values
del -2 write 1,-1,1 generic 1.0.0 Deletes keys
unlink -2 write,fast 1,-1,1 generic 4.0.0 Deletes keys
exists -2 readonly,fast 1,-1,1 generic 1.0.0 Counts the keys that exist
type 2 readonly,fast 1,1,1 generic 1.0.0 Gives the type of a value
keys 2 readonly 0,0,0 generic 1.0.0 Lists the keys that match a pattern
scan -2 readonly 0,0,0 generic 2.8.0 Lists keys page by page
randomkey 1 readonly 0,0,0 generic 1.0.0 Gives any key
rename 3 write 1,2,1 generic 1.0.0 Gives a key another name
renamenx 3 write,fast 1,2,1 generic 1.0.0 Gives a key another name unless that exists
copy -3 write,denyoom 1,2,1 generic 6.2.0 Copies a value to another key
touch -2 readonly,fast 1,-1,1 generic 3.2.1 Counts the keys that exist
dbsize 1 readonly,fast 0,0,0 server 1.0.0 Gives the number of keys
flushdb -1 write 0,0,0 server 1.0.0 Deletes all keys
flushall -1 write 0,0,0 server 1.0.0 Deletes all keys
expire -3 write,fast 1,1,1 generic 1.0.0 Ends a key after some seconds
pexpire -3 write,fast 1,1,1 generic 2.6.0 Ends a key after some milliseconds
expireat -3 write,fast 1,1,1 generic 1.2.0 Ends a key at a time in seconds
pexpireat -3 write,fast 1,1,1 generic 2.6.0 Ends a key at a time in milliseconds
ttl 2 readonly,fast 1,1,1 generic 1.0.0 Gives the seconds that a key has left
pttl 2 readonly,fast 1,1,1 generic 2.6.0 Gives the milliseconds that a key has left
expiretime 2 readonly,fast 1,1,1 generic 7.0.0 Gives the time in seconds at which a key ends
pexpiretime 2 readonly,fast 1,1,1 generic 7.0.0 Gives the time in milliseconds at which a key ends
persist 2 write,fast 1,1,1 generic 2.2.0 Takes a key's end away
object -2 - 0,0,0 generic 2.2.3 Tells about a value's representation
object|encoding 3 readonly 2,2,1 generic 2.2.3 Gives the encoding of a value
object|freq 3 readonly 2,2,1 generic 4.0.0 Gives the access frequency of a key
object|idletime 3 readonly 2,2,1 generic 2.2.3 Gives the seconds since a key's last access
object|refcount 3 readonly 2,2,1 generic 2.2.3 Gives the references to a value
object|help 2 loading,stale 0,0,0 generic 6.2.0 Lists the subcommands
multi 1 noscript,loading,stale,fast,allow_busy 0,0,0 transactions 1.2.0 Begins a transaction
exec 1 noscript,loading,stale,skip_slowlog 0,0,0 transactions 1.2.0 Carries out a transaction
discard 1 noscript,loading,stale,fast,allow_busy 0,0,0 transactions 2.0.0 Gives a transaction up
watch -2 noscript,loading,stale,fast,allow_busy 1,-1,1 transactions 2.2.0 Makes a transaction depend on keys that nobody else changes
unwatch 1 noscript,loading,stale,fast,allow_busy 0,0,0 transactions 2.2.0 Forgets the keys that are watched
ping -1 fast 0,0,0 connection 1.0.0 Answers PONG
echo 2 loading,stale,fast 0,0,0 connection 1.0.0 Gives back what it was given
hello -1 noscript,loading,stale,fast,no_auth,allow_busy 0,0,0 connection 6.0.0 Agrees on the protocol's version
auth -2 noscript,loading,stale,fast,no_auth,allow_busy 0,0,0 connection 1.0.0 Authenticates the connection
select 2 loading,stale,fast 0,0,0 connection 1.0.0 Chooses the database; there is 0
quit -1 noscript,loading,stale,fast,no_auth,allow_busy 0,0,0 connection 1.0.0 Closes the connection
reset 1 noscript,loading,stale,fast,no_auth,allow_busy 0,0,0 connection 6.2.0 Makes the connection like new
client -2 - 0,0,0 connection 2.4.0 Tells about connections, and sets them up
client|getname 2 noscript,loading,stale 0,0,0 connection 2.6.9 Gives the connection's name
client|help 2 loading,stale 0,0,0 connection 5.0.0 Lists the subcommands
client|id 2 noscript,loading,stale 0,0,0 connection 5.0.0 Gives the connection's id
client|info 2 noscript,loading,stale 0,0,0 connection 6.2.0 Describes the connection
client|list -2 admin,noscript,loading,stale 0,0,0 connection 2.4.0 Describes all connections
client|no-evict 3 admin,noscript,loading,stale 0,0,0 connection 7.0.0 Accepted; no client is evicted here
client|reply 3 noscript,loading,stale 0,0,0 connection 3.2.0 Turns replies on or off
client|setinfo 4 noscript,loading,stale 0,0,0 connection 7.2.0 Notes the client library
client|setname 3 noscript,loading,stale 0,0,0 connection 2.6.9 Names the connection
command -1 loading,stale 0,0,0 server 2.8.13 Describes the commands
command|count 2 loading,stale 0,0,0 server 2.8.13 Gives the number of commands
command|docs -2 loading,stale 0,0,0 server 7.0.0 Documents commands
command|getkeys -4 loading,stale 0,0,0 server 2.8.13 Finds the keys in a command
command|help 2 loading,stale 0,0,0 server 5.0.0 Lists the subcommands
command|info -2 loading,stale 0,0,0 server 2.8.13 Describes commands
command|list -2 loading,stale 0,0,0 server 7.0.0 Lists the names of commands
info -1 loading,stale 0,0,0 server 1.0.0 Tells about the node
config -2 - 0,0,0 server 2.0.0 Reads and changes settings
config|get -3 admin,noscript,loading,stale 0,0,0 server 2.0.0 Reads settings
config|help 2 loading,stale 0,0,0 server 5.0.0 Lists the subcommands
config|resetstat 2 admin,noscript,loading,stale 0,0,0 server 2.0.0 Counts from zero again
config|set -4 admin,noscript,loading,stale 0,0,0 server 2.0.0 Changes settings
time 1 loading,stale,fast 0,0,0 server 2.6.0 Gives the node's time
wait 3 noscript 0,0,0 generic 3.0.0 Waits until so many followers have the connection's writes
readonly 1 loading,stale,fast 0,0,0 cluster 3.0.0 Lets a follower answer reads, which may be stale
readwrite 1 loading,stale,fast 0,0,0 cluster 3.0.0 Takes READONLY back
role 1 noscript,loading,stale,fast 0,0,0 server 2.8.12 Gives the node's role
debug -2 admin,noscript,loading,stale 0,0,0 server 1.0.0 For tests, where a test has asked for it
slowlog -2 - 0,0,0 server 2.2.12 Lists slow commands
slowlog|get -2 admin,loading,stale 0,0,0 server 2.2.12 Lists slow commands
slowlog|help 2 loading,stale 0,0,0 server 6.2.0 Lists the subcommands
slowlog|len 2 admin,loading,stale 0,0,0 server 2.2.12 Counts slow commands
slowlog|reset 2 admin,loading,stale 0,0,0 server 2.2.12 Forgets slow commands
raft -2 - 0,0,0 raft 0.1.0 Tells about the cluster, and steers it
raft|help 2 loading,stale 0,0,0 raft 0.1.0 Lists the subcommands
raft|snapshot 2 admin,noscript 0,0,0 raft 0.1.0 Takes a snapshot on this node
raft|status 2 noscript,loading,stale 0,0,0 raft 0.1.0 Gives role, term, leader, indexes and members
raft|transfer -2 admin,noscript 0,0,0 raft 0.1.0 Hands leadership to a node, or to the best one
`;

function parseRow(row: string): RespCommandSpec & { subcommands: RespCommandSpec[] } {
  const [name = '', arity, flags = '', keys = '', group = '', since = '', ...summary] = row.split(' ');
  const [firstKey = 0, lastKey = 0, keyStep = 0] = keys.split(',').map(Number);
  return {
    name,
    arity: Number(arity),
    flags: flags === '-' ? [] : flags.split(','),
    firstKey,
    lastKey,
    keyStep,
    group,
    since,
    summary: summary.join(' '),
    subcommands: [],
  };
}

function parseTable(): Map<string, RespCommandSpec> {
  const commands = new Map<string, RespCommandSpec & { subcommands: RespCommandSpec[] }>();
  for (const row of TABLE.trim().split('\n')) {
    const spec = parseRow(row);
    const parent = commands.get(spec.name.split('|')[0] ?? '');
    if (parent === undefined) commands.set(spec.name, spec);
    else parent.subcommands.push(spec);
  }
  return commands;
}

/** By lower-case name, in the table's order. */
export const RESP_COMMANDS: ReadonlyMap<string, RespCommandSpec> = parseTable();

export function arityFits(spec: RespCommandSpec, argc: number): boolean {
  return spec.arity >= 0 ? argc === spec.arity : argc >= -spec.arity;
}

/** Redis's sentence. */
export function arityError(spec: RespCommandSpec): string {
  return `ERR wrong number of arguments for '${spec.name}' command`;
}

/** Redis's sentence for a subcommand that is not there, or does not get its arguments; null when all is well. */
export function subcommandError(spec: RespCommandSpec, given: string, argc: number): string | null {
  const wanted = `${spec.name}|${given.toLowerCase()}`;
  const found = spec.subcommands.find((candidate) => candidate.name === wanted);
  if (found === undefined) {
    return `ERR unknown subcommand '${given.slice(0, 128)}'. Try ${spec.name.toUpperCase()} HELP.`;
  }
  return arityFits(found, argc) ? null : arityError(found);
}

/** Positions of the keys among `argc` arguments. */
export function keyPositions(spec: RespCommandSpec, argc: number): number[] {
  if (spec.firstKey === 0) return [];
  const last = spec.lastKey < 0 ? argc + spec.lastKey : spec.lastKey;
  const positions: number[] = [];
  for (let at = spec.firstKey; at <= last && at < argc; at += spec.keyStep) positions.push(at);
  return positions;
}
