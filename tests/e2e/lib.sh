# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# lib.sh - what end-to-end tests share; for bash:
#
#	#!/bin/bash
#	# NN-topic.sh - one paragraph: what is joined to what, what is proved
#	. "${0%/*}/lib.sh"
#	need ip python3
#	in_userns "$@"              # root of namespaces of its own from here on
#	start_switch a
#	start vde_plug "$TMP/a.ctl"
#	wait_for active_ports a 1
#	check "a plug takes a port" console a port/print 1
#	done_testing
#
# A test waits for events (wait_for, --ready-fd, output), never for time to
# pass. Everything it starts through start* is ended and $TMP, its directory,
# removed when it ends, however it ends. Programs of this tree are found in
# PATH ($BUILD/bin stands first), peers by absolute paths.
set -u
LC_ALL=C
export LC_ALL

ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
BUILD=$(cd "${BUILD:-$ROOT/build}" 2>/dev/null && pwd) || {
	echo "skip: nothing is built in ${BUILD:-$ROOT/build}"
	exit 77
}
PATH=$BUILD/bin:$PATH:/usr/sbin:/sbin
export ROOT BUILD PATH

points=0 bad=0
# shellcheck source=tools/lab.sh
. "$ROOT/tools/lab.sh"

# --- ending ---------------------------------------------------------------

# skip REASON: the whole test cannot run here.
skip()
{
	echo "skip: $*"
	exit 77
}

lab_unable()
{
	skip "$@"
}

lab_failed()
{
	log_of "$started" | sed 's/^/# /'
	not_ok "$@"
	exit 1
}

# done_testing: ends what still runs, prints the plan, exits.
done_testing()
{
	local p

	for p in "${pids[@]}"; do
		stop "$p" || [ "$?" -ne 137 ] ||
			not_ok "${started_as[$p]} ends when it is told to"
	done
	echo "1..$points"
	[ "$bad" -eq 0 ]
	exit
}

# --- points ---------------------------------------------------------------

ok()
{
	echo "ok $((++points)) - $*"
}

not_ok()
{
	echo "not ok $((++points)) - $*"
	bad=1
}

# skip_point SENTENCE: REASON
skip_point()
{
	echo "ok $((++points)) - ${1%%: *} # SKIP ${1#*: }"
}

# check SENTENCE COMMAND...: the command succeeds; else its output is shown.
check()
{
	local what=$1 out rc

	shift
	out=$("$@" 2>&1)
	rc=$?
	if [ "$rc" -eq 0 ]; then
		ok "$what"
		return 0
	fi
	not_ok "$what"
	printf '%s\n' "status $rc of: $*" "$out" | sed 's/^/# /'
	return 1
}

# check_fails SENTENCE STATUS COMMAND...: it ends with that very status.
check_fails()
{
	local what=$1 want=$2 out rc

	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ "$rc" -eq "$want" ]; then
		ok "$what"
		return 0
	fi
	not_ok "$what"
	printf '%s\n' "status $rc, not $want, of: $*" "$out" | sed 's/^/# /'
	return 1
}

# is SENTENCE GOT WANTED
is()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
		return 0
	fi
	not_ok "$1"
	printf 'got:\n%s\nwanted:\n%s\n' "$2" "$3" | sed 's/^/# /'
	return 1
}

# like SENTENCE GOT REGEX: some line of GOT matches the extended expression.
like()
{
	if grep -qaE -e "$3" <<<"$2"; then
		ok "$1"
		return 0
	fi
	not_ok "$1"
	printf 'got:\n%s\nwanted a match of: %s\n' "$2" "$3" | sed 's/^/# /'
	return 1
}

# --- what must be there ---------------------------------------------------

# need PROGRAM...: a name, or an absolute path of a peer.
need()
{
	local p

	for p; do
		command -v "$p" >/dev/null || skip "no $p"
	done
}

# Our shared library cannot be loaded into other people's programs when it
# is built with a sanitizer.
need_plain_build()
{
	! nm -D "$BUILD/libvdeplug.so.2" 2>/dev/null | grep -q __asan_init ||
		skip "the library is built with a sanitizer"
}

need_tap()
{
	have_tap || skip "taps are not permitted"
}

# --- switches -------------------------------------------------------------

# start_peer_switch NAME [OPTION]...: Debian's switch, likewise.
start_peer_switch()
{
	local name=$1

	shift
	: >"$TMP/$name.is-debian"
	start /usr/bin/vde_switch -s "$TMP/$name.ctl" -M "$TMP/$name.mgmt" "$@"
	if ! wait_for test -S "$TMP/$name.mgmt"; then
		lab_failed "Debian's vde_switch does not start with $*"
	fi
}

# clients_become N SWITCH...: each gets exactly that many clients, ours or
# Debian's. That one can miss that a client has left if another, or a console,
# leaves in the same moment: it is not asked, its sockets are counted.
clients_become()
{
	local n=$1 s

	shift
	for s; do
		wait_for clients_are "$s" "$n" || return
	done
}

clients_are()
{
	local sockets

	if [ ! -e "$TMP/$1.is-debian" ]; then
		[ "$(console "$1" port/print |
			grep -c 'endpoint ID .* module unix prog')" -eq "$2" ]
		return
	fi
	sockets=("$TMP/$1.ctl"/[0-9]*)
	[ -e "${sockets[0]}" ] || sockets=()
	[ ${#sockets[@]} -eq "$2" ]
}

# transports NAME: what moves the frames of each client of our switch.
transports()
{
	console "$1" -j port/print |
		grep -oE '"transport": ?"[a-z]+"' | sed 's/.*"\(.*\)"/\1/' |
		paste -sd ' '
}

# borrow PROGRAM: a script that runs Debian's PROGRAM with our library.
borrow()
{
	cat >"$TMP/our-lib-$1" <<-END
		#!/bin/sh
		LD_LIBRARY_PATH="$BUILD" exec "/usr/bin/$1" "\$@"
	END
	chmod +x "$TMP/our-lib-$1"
}

# can_borrow: our library can be loaded into other people's programs.
can_borrow()
{
	[ -z "${SAN:-}" ] &&
		! nm -D "$BUILD/libvdeplug.so.2" | grep -q __asan_init
}

# --- guests, after tools/guest.sh --------------------------------------------

# boots NAME WHAT: a point. A machine too slow for an emulated one proves
# nothing: then the whole test is skipped.
boots()
{
	if guest_booted "$1" >/dev/null; then
		ok "$2"
		return
	fi
	[ "$(guest_state "$1")" != slow ] ||
		skip "a guest does not boot within 90 s here"
	not_ok "$2"
	# shellcheck disable=SC2154
	log_of "${guest_pid[$1]}" | tail -n 20 | tr -d '\r' | sed 's/^/# /'
	return 1
}

# --- frames ---------------------------------------------------------------

# frame WORD: a broadcast frame of 60 bytes with WORD in it, as a stream has
# it: two bytes of length, then the frame.
frame()
{
	printf '\0\74\377\377\377\377\377\377\2\0\0\0\0\1\210\265%-46.46s' "$1"
}

# listen_at LOCATOR: collects in $(log_of $started) what arrives there.
# vde_plug has its port when the switch says so: ports_become.
listen_at()
{
	start "${PLUG:-vde_plug}" "$1"
}

# send_at LOCATOR WORD: one frame into a switch.
send_at()
{
	{
		frame "$2"
		# A plug ends with its input: not before it had a port.
		read -rt 0.5 -u "$never" _
	} | timeout 10 "${PLUG:-vde_plug}" "$1" >/dev/null
}

# arrives WORD PID: does a frame with WORD reach the listener?
arrives()
{
	wait_for -t "${3:-5}" grep -qa "$1" "$TMP/$2.log"
}

# passes LOCATOR WORD PID: does a frame that is sent there reach the listener?
# Quicker than send_at: the plug ends as soon as that is so.
passes()
{
	{
		frame "$2"
		arrives "$2" "$3"
	} | timeout 10 "${PLUG:-vde_plug}" "$1" >/dev/null
	return "${PIPESTATUS[0]}"
}
