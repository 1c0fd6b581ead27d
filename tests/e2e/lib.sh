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

points=0 bad=0 pids=()
declare -A started_as
exec {never}<> <(:) # a descriptor that never has anything to read

# --- ending ---------------------------------------------------------------

TMP=$(mktemp -d /tmp/vde-e2e.XXXXXX) || exit 1 # short: sun_path has 108 bytes
export TMP

clean_up()
{
	local p

	trap - EXIT
	for p in "${pids[@]}"; do
		kill -KILL "$p" 2>/dev/null
	done
	rm -rf "$TMP"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# skip REASON: the whole test cannot run here.
skip()
{
	echo "skip: $*"
	exit 77
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

# in_userns "$@": from here on root in user, network and mount namespaces of
# its own, with lo up; starts the script anew. Works for anybody where user
# namespaces are allowed, and for root everywhere.
in_userns()
{
	if [ "${IN_USERNS:-}" != "$0" ]; then
		local how=-Urnm

		need unshare ip
		if ! unshare $how true 2>/dev/null; then
			how=-nm
			unshare $how true 2>/dev/null ||
				skip "namespaces are not permitted"
		fi
		rm -rf "$TMP"
		IN_USERNS=$0 exec unshare $how "$0" "$@"
	fi
	unset IN_USERNS
	ip link set lo up
}

have_tap()
{
	ip tuntap add dev vdeprobe mode tap 2>/dev/null &&
		ip link del vdeprobe
}

need_tap()
{
	have_tap || skip "taps are not permitted"
}

# --- waiting --------------------------------------------------------------

# Lets 20 ms pass, for use between two looks at a condition.
pause()
{
	read -rt 0.02 -u "$never" _
	return 0
}

# wait_for [-t SECONDS] COMMAND...: until it succeeds; 1 after 10 seconds.
wait_for()
{
	local secs=10 end

	if [ "$1" = -t ]; then
		secs=$2
		shift 2
	fi
	end=$((SECONDS + secs + 1))
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "# waited $secs s in vain for: $*"
			return 1
		fi
		pause
	done
}

# --- processes ------------------------------------------------------------

# start PROGRAM [ARGUMENT]...: in the background, stdin silent and open,
# output in $(log_of PID); its pid is in $started. Not for shell functions.
start()
{
	{
		exec <&"$never" >"$TMP/$BASHPID.log" 2>&1 {never}<&-
		exec "$@"
	} &
	started=$!
	: >>"$TMP/$started.log"
	pids+=("$started")
	started_as[$started]=${1##*/}
}

log_of()
{
	cat "$TMP/$1.log"
}

alive()
{
	local state

	state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" \
		2>/dev/null) && [ -n "$state" ] && [ "$state" != Z ]
}

gone()
{
	! alive "$1"
}

# stop PID [SIGNAL]: its exit status; 137 if it had to be killed.
stop()
{
	local p=$1 q keep=()

	kill "-${2:-TERM}" "$p" 2>/dev/null
	kill -CONT "$p" 2>/dev/null
	wait_for -t 4 gone "$p" || kill -KILL "$p" 2>/dev/null
	for q in "${pids[@]}"; do
		[ "$q" = "$p" ] || keep+=("$q")
	done
	pids=("${keep[@]}")
	wait "$p" 2>/dev/null
}

# --- switches -------------------------------------------------------------

# start_switch NAME [OPTION]...: a switch on $TMP/NAME.ctl, its console on
# $TMP/NAME.mgmt; returns when it is ready; its pid is in $started.
start_switch()
{
	local name=$1

	shift
	mkfifo "$TMP/$name.ready"
	start_on_fd9 "$TMP/$name.ready" vde_switch -s "$TMP/$name.ctl" \
		-M "$TMP/$name.mgmt" --nostdin --ready-fd 9 "$@"
	if ! read -rt 10 _ <"$TMP/$name.ready"; then
		echo "# vde_switch $name did not start:"
		log_of "$started" | sed 's/^/# /'
		not_ok "vde_switch starts with $*"
		exit 1
	fi
	rm "$TMP/$name.ready"
}

start_on_fd9()
{
	local fifo=$1

	shift
	# The fifo is opened in the child, where it may block.
	# shellcheck disable=SC2016
	start bash -c 'exec "$@" 9>"$0"' "$fifo" "$@"
	started_as[$started]=$1
}

# start_peer_switch NAME [OPTION]...: Debian's switch, likewise.
start_peer_switch()
{
	local name=$1

	shift
	start /usr/bin/vde_switch -s "$TMP/$name.ctl" -M "$TMP/$name.mgmt" "$@"
	if ! wait_for test -S "$TMP/$name.mgmt"; then
		log_of "$started" | sed 's/^/# /'
		not_ok "Debian's vde_switch starts with $*"
		exit 1
	fi
}

# console NAME COMMAND...: the data of the reply; status 0 for code 1000.
console()
{
	local name=$1

	shift
	if [ -x "$BUILD/bin/unixcmd" ]; then
		unixcmd -s "$TMP/$name.mgmt" "$@"
	else
		"$ROOT/tests/e2e/console.py" "$TMP/$name.mgmt" "$*"
	fi
}

# active_ports NAME N: are exactly N ports active?
active_ports()
{
	[ "$(console "$1" port/print | grep -c '^Port [0-9]* .* ACTIVE')" \
		-eq "$2" ]
}

# --- namespaces (after in_userns) -----------------------------------------

declare -A ns_pid

# add_ns NAME...: network namespaces, empty but for lo, which is up.
add_ns()
{
	local n mine

	mine=$(readlink /proc/self/ns/net)
	for n; do
		start unshare -n cat
		ns_pid[$n]=$started
		wait_for ns_is_new "$started" "$mine" || exit 1
		ns "$n" ip link set lo up
	done
}

ns_is_new()
{
	local now

	now=$(readlink "/proc/$1/ns/net") && [ "$now" != "$2" ] &&
		[ "$(cat "/proc/$1/comm")" = cat ]
}

# ns NAME COMMAND...: runs it in that namespace.
ns()
{
	local p=${ns_pid[$1]}

	shift
	nsenter -t "$p" -n "$@"
}

# start_in NAME PROGRAM [ARGUMENT]...: as start, in that namespace.
start_in()
{
	local p=${ns_pid[$1]}

	shift
	start nsenter -t "$p" -n "$@"
	started_as[$started]=${1##*/}
}

# move_to_ns INTERFACE NAME
move_to_ns()
{
	ip link set "$1" netns "${ns_pid[$2]}"
}

# quiet_if NS INTERFACE [ADDRESS/BITS]: up, no IPv6 chatter, an address.
quiet_if()
{
	# shellcheck disable=SC2016
	ns "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/$0/disable_ipv6' \
		"$2" 2>/dev/null
	ns "$1" ip link set "$2" up
	[ -z "${3:-}" ] || ns "$1" ip addr add "$3" dev "$2"
}
