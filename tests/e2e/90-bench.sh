#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 90-bench.sh - the benchmark runs, tells what it measured as a table and as
# JSON, and what it could not compare; its figures mean nothing here
. "${0%/*}/lib.sh"
need python3
[ -x "$BUILD/bench/vdeload" ] || skip "no $BUILD/bench/vdeload: make bench-bins"
# Its clients end without closing their connections.
export ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-}

# bench OPTION...: in the shortest time.
bench()
{
	"$ROOT/bench/run" --quick --repeat 1 --ms 20 --dir "$TMP" \
		--json "$TMP/results.json" "$@" 2>&1
}

# ours EXPRESSION: of the JSON, in which `rows` are the results by name.
ours()
{
	python3 - "$TMP/results.json" "$1" <<'END'
import json, sys
rows = {r["row"]: r for r in json.load(open(sys.argv[1]))["results"]}
sys.exit(not eval(sys.argv[2]))
END
}

out=$(bench --list)
like "the rows can be listed" "$out" '^unicast-64 '

# plot FILE N: it is XML and has N lines of data.
plot()
{
	python3 - "$@" <<'END'
import sys
from xml.etree import ElementTree
paths = ElementTree.parse(sys.argv[1]).iter("{http://www.w3.org/2000/svg}path")
lines = [p for p in paths if p.get("fill") == "none" and p.get("stroke")
         and "L" in p.get("d")]
sys.exit(len(lines) != int(sys.argv[2]))
END
}

# Rows with our library only: Debian's cannot be loaded beside a sanitizer.
out=$(bench --rows 'connect-raw,connect,unicast-64,cost-guards,plot-sizes' \
	--against "$TMP/nothing")
is "it ends well without a peer" "$?" 0
like "the table has our figure" "$out" \
	'^\| connect-raw \| [^|]+ \| /s \| [0-9.,]+ \| - \| - \|'
like "it says what it could not compare" "$out" \
	'^- not compared: no libvdeplug.so.2 of '
check "frames arrive" ours 'rows["unicast-64"]["sides"]["ours"]["value"]["median"] > 0'
check "connections are made" ours 'rows["connect"]["sides"]["ours"]["value"]["median"] > 1'
check "what guards cost is known" ours \
	'rows["cost-guards"]["sides"]["ours"]["within"]["median"] > 0.1'
check "two panels are drawn, with rings and datagrams" \
	plot "$TMP/bench-sizes.svg" 4

out=$(bench --rows unicast-64 --against "$BUILD")
other=$(basename "$(dirname "$(realpath "$BUILD")")")
check "a build against itself has a ratio" ours \
	'rows["unicast-64"]["sides"]["'"$other"'"]["ratio"]["median"] > 0'

if unshare -Urn ip tuntap add dev vdeprobe mode tap 2>/dev/null; then
	# 20 ms may pass without a round trip on a machine that has others to
	# serve; the row is left out then, with the reason.
	for _ in 1 2 3; do
		bench --rows trip-taps --against "$BUILD" >"$TMP/out"
		ours '"trip-taps" in rows' && break
		sed 's/^/# /' "$TMP/out"
	done
	check "datagrams go from host to host and back" ours \
		'rows["trip-taps"]["sides"]["ours"]["value"]["median"] > 0'
fi

# probe SENDER STATION...: one station on each, what it says at the end of some
# hundred frames.
probe()
{
	local from=$1 line answer

	shift
	coproc PROBE {
		LD_LIBRARY_PATH="$BUILD" exec "$BUILD/bench/vdeload" \
			--tx "$from" probe "$@"
	}
	read -rt 10 -u "${PROBE[0]}" line && like "the probe begins" "$line" \
		'"ready": '
	for _ in {1..500}; do
		echo look >&"${PROBE[1]}"
		read -rt 10 -u "${PROBE[0]}" answer
		[[ $answer == *'"got": '[3-9][0-9][0-9]* ]] && break
		pause
	done
	printf '%s\n' "$answer" >"$TMP/probe.json"
	kill "$PROBE_PID" 2>/dev/null
	wait "$PROBE_PID" 2>/dev/null
}

# probed EXPRESSION: of each tally `t` of what the probe has said.
probed()
{
	python3 - "$TMP/probe.json" "$1" <<'END'
import json, sys
tallies = [t for s in json.load(open(sys.argv[1]))["stations"]
           for t in s.values()]
sys.exit(len(tallies) < 2 or not all(eval(sys.argv[2]) for t in tallies))
END
}

start_switch a
start_switch b
probe "$TMP/a.ctl" "$TMP/a.ctl" "$TMP/a.ctl"
check "two stations hear every probe, once and in order" probed \
	't["got"] > 200 and t["lost"] + t["duplicates"] + t["reordered"] == 0'
# Two cables that go one way: what arrives at b does so twice.
for _ in 1 2; do
	# shellcheck disable=SC2016
	start bash -c 'vde_plug "$0" | vde_plug "$1" >/dev/null' \
		"$TMP/a.ctl" "$TMP/b.ctl"
done
ports_become 2 a b
probe "$TMP/a.ctl" "$TMP/b.ctl"
check "a station that hears all twice says so" probed \
	't["got"] > 200 and abs(t["duplicates"] - t["got"]) < 50'

# wire WHAT EXPRESSION OPTION...: of what the probe of wires says of it.
wire()
{
	local what=$1 expression=$2

	shift 2
	LD_LIBRARY_PATH="$BUILD" timeout 20 "$BUILD/bench/wireprobe" "$@" \
		>"$TMP/wire.json"
	check "$what" python3 -c '
import json, sys
got = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$TMP/wire.json" "$expression"
}

out=$(bench --rows 'wire-rate-64000,wire-delay-10-1k,wire-flood-64' \
	--against "$TMP/nothing")
like "rates of wires have a table of their own" "$out" \
	'^\| 64,000 \| [0-9.,]+ \| - \| - \| - \|'
like "delays, too, beside the delay line's" "$out" \
	'^\| 10 \| 1,000 \| [0-9.,]+ \| [0-9.,]+ \| - \| - \| [0-9.,]+ \|'
check "what passes an idle wire is counted" ours \
	'rows["wire-flood-64"]["sides"]["ours"]["value"]["median"] > 0'
wire "pipes alone are a wire that loses nothing, both ways" \
	'all(got[d]["frames"] > 1000 and got[d]["lost"] + got[d]["doubled"] +
		got[d]["damaged"] == 0 for d in ("lr", "rl"))' \
	--ms 100 --window 50000 rate
wire "the delay line is never early" \
	'got["measured"] > 50 and got["lost"] == 0 and got["earliest_us"] > 0' \
	--ms 200 --delay-us 5000 delay "$BUILD/bench/delayline" 5000
wire "what is asked for too little is seen" 'got["earliest_us"] > 4000' \
	--ms 100 --delay-us 1000 delay "$BUILD/bench/delayline" 5000
out=$("$BUILD/bench/wires" 10 100 300)
like "engines are driven in real time" "$out" '"out_per_s": [1-9]'

out=$(bench --rows none)
is "an unknown row is an error" "$?" 1
like "which names it" "$out" 'no row is called none'
done_testing
