#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# With -j every console command answers one JSON document, also when it fails,
# and each name in it stands in vde_console(7).
. "${0%/*}/lib.sh"
need python3 mandoc

start_switch a
mandoc -T ascii -O width=500 "$ROOT/man/vde_console.7" | sed 's/.\x08//g' \
	>"$TMP/page"

# Tables with something in them: a port with a plug, an address, VLANs.
mkfifo "$TMP/wire"
exec {wire}<>"$TMP/wire"
# shellcheck disable=SC2016
start bash -c 'exec "$0" "$1" <"$2"' "${PLUG:-vde_plug}" "$TMP/a.ctl" "$TMP/wire"
ports_become 1 a
frame hello >&"$wire"
check "an address is learned" wait_for console a hash/find 02:00:00:00:00:01
console a vlan/create 5
console a vlan/create 6
console a port/create 7
console a port/setvlan 7 5
console a vlan/addport 6 7
console a port/setuser 7 root
echo 'port/print' >"$TMP/commands"

cat >"$TMP/check.py" <<'PYTHON'
import json, re, socket, sys

path, page, commands = sys.argv[1:]
page = open(page).read()
words = set(re.findall(r"[a-z0-9_]+", page[page.index("\nJSON"):]))

class Console:
    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(10)
        self.s.connect(path)
        self.until_prompt()

    def until_prompt(self):
        buf = b""
        while not buf.endswith(b"vde$ "):
            more = self.s.recv(65536)
            if not more:
                raise EOFError("the switch hung up")
            buf += more
        return buf.decode()

    def ask(self, line):
        self.s.sendall(line.encode() + b"\n")
        return self.until_prompt().split("\n")

def names(doc):
    if isinstance(doc, dict):
        for k, v in doc.items():
            yield k
            yield from names(v)
    elif isinstance(doc, list):
        for v in doc:
            yield from names(v)

c = Console()
lines = c.ask("-j help")
commands_doc = json.loads(lines[1])["commands"]
arguments = {
    "hash/find": "02:00:00:00:00:01", "hash/setsize": "256",
    "hash/setgcint": "3", "hash/setexpire": "90", "hash/setminper": "2",
    "port/setnumports": "40", "port/sethub": "0", "port/setvlan": "7 6",
    "port/create": "9", "port/remove": "9", "port/allocatable": "7 0",
    "port/setuser": "7 NONE", "port/setgroup": "7 NONE",
    "port/epclose": "7 1", "port/defqlen": "64", "port/epqlen": "7 1 64",
    "vlan/create": "8", "vlan/remove": "8", "vlan/addport": "5 7",
    "vlan/delport": "5 7", "tap/add": "x/y", "tap/del": "none",
    "fstp/setfstp": "1", "fstp/setedge": "0 7 1", "fstp/bonus": "0 7 10",
    "fstp/setpriority": "4096 0", "fstp/setmac": "00:ff:01:02:03:04",
    "fstp/cost": "0 7 100", "fstp/portpriority": "0 7 16",
    "fstp/autoedge": "7 0", "fstp/p2p": "7 auto", "fstp/bpduguard": "7 1",
    "fstp/rootguard": "7 1", "fstp/hello": "1", "fstp/maxage": "19",
    "loopguard/set": "1", "loopguard/port": "7 1",
    "loopguard/interval": "100", "loopguard/hold": "9",
    "mirror/add": "7 5 both", "mirror/del": "7 6",
    "fstp/fdelay": "14", "fstp/mode": "stp",
    "debug/add": "port", "debug/del": "port", "load": commands,
}
bad = []
told = 0
for row in commands_doc:
    name = row["name"]
    if row["menu"] or name in ("logout", "shutdown"):
        continue
    for line in (f"-j {name} {arguments.get(name, '')}", f"-j {name} a b c d"):
        reply = c.ask(line)
        try:
            docs = [json.loads(x) for x in reply if x.startswith("{")]
        except ValueError as e:
            bad.append(f"{line}: {e}: {reply}")
            continue
        if name != "load" and len(docs) != 1:
            bad.append(f"{line}: {len(docs)} documents: {reply}")
        for doc in docs:
            told += len(doc)
            bad += [f"{line}: {n} is not in vde_console(7)"
                    for n in names(doc) if n not in words]
        if not re.search(r"^1\d\d\d ", "\n".join(reply), re.M):
            bad.append(f"{line}: no result: {reply}")
found = json.loads(c.ask("-j hash/find 02:00:00:00:00:01")[1])["entries"]
if len(found) != 1 or found[0]["mac"] != "02:00:00:00:00:01":
    bad.append(f"hash/find found {found}")
if told < 20:
    bad.append(f"only {told} names were seen")
print("\n".join(bad))
sys.exit(bool(bad))
PYTHON
check "every command answers JSON, with names that are documented" \
	python3 "$TMP/check.py" "$TMP/a.mgmt" "$TMP/page" "$TMP/commands"
like "-j alone is an unknown command" \
	"$("$ROOT/tests/e2e/console.py" "$TMP/a.mgmt" -j 2>&1)" \
	'Function not implemented'
done_testing
