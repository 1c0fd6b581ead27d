#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# makefile.sh - what GNUmakefile promises about libraries, flags and goals
#
# Asks it in a build directory of its own and compiles one file of the tree.
# Called at the root of the tree.
set -u
n=0 bad=0
tmp=$(mktemp -d /tmp/vde-make.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
unset MAKEFLAGS MAKELEVEL MAKEOVERRIDES MFLAGS SAN BUILD

point()
{
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
		bad=1
	fi
}

ask()
{
	make --no-print-directory BUILD="$tmp/b" "$@" 2>&1
}

# expect STATUS REGEX MAKE-ARGUMENT...: prints what is wrong.
expect()
{
	local want=$1 re=$2 out rc

	shift 2
	out=$(ask "$@")
	rc=$?
	[ "$rc" -eq "$want" ] || echo "status $rc: $out"
	grep -qE -e "$re" <<<"$out" || echo "no '$re' in: $out"
}

# A library that is nowhere.
none=PCAP_LDLIBS=-lvde-none-such
point "WITH_x=yes and no library is an error that names the package" \
	"$(expect 2 'WITH_PCAP=yes: .*install libpcap-dev' -n WITH_PCAP=yes $none)"
point "WITH_x=auto and no library is a note, and the program is left out" \
	"$(expect 0 'note: vde_pcapplug is left out, it needs libpcap-dev' \
		-n WITH_PCAP=auto $none
	ask -n $none | grep 'bin/vde_pcapplug')"
point "WITH_x=no does not look for it" \
	"$(ask -n WITH_PCAP=no | grep -E 'note: vde_pcap|bin/vde_pcapplug')"
point "another value is refused" \
	"$(expect 2 'WITH_PCAP=maybe: must be auto, yes or no' -n WITH_PCAP=maybe)"
point "goals that build nothing look for nothing" \
	"$(ask help WITH_PCAP=yes $none | grep WITH_PCAP=yes)"

one="$tmp/b/src/base/num.o"
point "an object is compiled" "$(expect 0 "CC .*num\.o" "$one")"
point "once" "$(expect 0 'up to date' "$one")"
point "again with other flags" "$(expect 0 "CC .*num\.o" "$one" CFLAGS=-O1)"
point "and with another compiler" \
	"$(expect 0 "CC .*num\.o" "$one" CC=gcc CFLAGS=-O1)"
touch -d '+1 hour' "$tmp/b/flags"
point "and when the flags are newer" \
	"$(expect 0 "CC .*num\.o" "$one" CC=gcc CFLAGS=-O1)"
point "V=1 shows the command" \
	"$(expect 0 '^gcc .*-std=c11 .*num\.c' "$one" CC=gcc CFLAGS=-O2 V=1)"
point "SAN= has a build directory of its own" "$(
	make --no-print-directory help SAN=address,undefined 2>&1 |
		grep -q 'build into build-address-undefined/' || echo no)"
echo "1..$n"
exit $bad
