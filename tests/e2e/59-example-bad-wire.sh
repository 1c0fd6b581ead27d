#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/bad-wire puts a protocol on bad links between two hosts: it runs to
# its end, with and without gnuplot, what it tells is what was asked for, and a
# protocol of one's own takes the place of TCP.
. "${0%/*}/lib.sh"
need ip ping nsenter python3 wirefilter vde_plug2tap
in_userns "$@"
need_tap
run=$ROOT/examples/bad-wire/run

# try OPTION...: runs it with everything it makes below $TMP.
try()
{
	LAB_TMP=$TMP timeout 60 "$run" -q -o "$TMP/out" "$@" >"$TMP/try.log" 2>&1 ||
		{
			cat "$TMP/try.log"
			return 1
		}
}

# achieved LINK SHARE: the delay that this share of the probes did not exceed.
achieved()
{
	awk -v u="$2" '$1 == u { print $3 }' "$TMP/out/$1.delays.dat"
}

# between LOW X HIGH
between()
{
	awk -v x="$2" "BEGIN { exit !(x >= $1 && x <= $3) }" ||
		{ echo "$2 is not $1 to $3"; return 1; }
}

cat >"$TMP/links" <<'END'
# a comment
far    -d 50
slow   -b 8Mb -c 100K -l 5
END
check "the example runs" try -f "$TMP/links"
out=$(cat "$TMP/try.log")
like "it tells about the first link" "$out" '^\| far \| 50\.0 ms \|'
like "and the second" "$out" '^\| slow \|'
check "half of all probes took 50 ms and what switches and taps take" \
	between 50 "$(achieved far 0.5)" 60
rate=$(awk '$1 == "slow" { print $7 }' "$TMP/out/links.dat")
check "the wire had the rate of 8 Mbit/s" between 7.6 "$rate" 8.2
check "no protocol got more than that" between 0.1 \
	"$(awk '$1 == "slow" { print $8 }' "$TMP/out/links.dat")" 8
check "some frames were lost" between 0.5 \
	"$(awk '$1 == "slow" { print $5 }' "$TMP/out/links.dat")" 15
if command -v gnuplot >/dev/null; then
	check "there are plots" test -s "$TMP/out/delays.svg" -a \
		-s "$TMP/out/rates.svg" -a -s "$TMP/out/loss.svg" \
		-a -s "$TMP/out/slow.svg"
else
	skip_point "there are plots: no gnuplot"
fi

rm -rf "$TMP/out"
# shellcheck disable=SC2016
RECEIVER='echo ready; exec true' SENDER=true GNUPLOT=none \
	check_fails "a protocol that tells no goodput is refused" 1 try clean
RECEIVER='echo ready; echo goodput 12500' SENDER=true GNUPLOT=none \
	check "a protocol of one's own takes TCP's place" try clean
like "its goodput is in the table" "$(cat "$TMP/try.log")" '\| 0\.10 \|'
like "without gnuplot it says what is missing" "$(cat "$TMP/try.log")" \
	'^no gnuplot'
check "and leaves the data" test -s "$TMP/out/links.dat"

check_fails "an unknown link is an error" 1 try nonesuch
check_fails "an unknown option is one of usage" 2 "$run" -x
nothing_left()
{
	[ -z "$(find "$TMP" -mindepth 1 -maxdepth 1 -name 'vde.*')" ]
}
check "it leaves nothing behind" wait_for nothing_left
done_testing
