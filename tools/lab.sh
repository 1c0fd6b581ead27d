# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# lab.sh - processes and network namespaces for tests, demo and benchmark
#
# For bash scripts that set ROOT and BUILD and source it. Everything started by
# start() is killed and $TMP, a directory of the script's own, removed when the
# script ends, however it ends. Nothing here touches the host's network:
# in_userns() comes first.
# The script defines two functions that do not return: lab_unable REASON, the
# machine does not permit what is asked for; lab_failed REASON, the program
# $started did not do what it should, see log_of $started.

pids=()
declare -A started_as ns_pid
exec {never}<> <(:) # a descriptor that never has anything to read

# Short, as sun_path has 108 bytes.
TMP=$(mktemp -d "${LAB_TMP:-/tmp}/vde.XXXXXX") || exit 1
export TMP

lab_clean_up()
{
	local p

	# A child that is killed before it runs its program still has the traps.
	[ "$BASHPID" -eq "$$" ] || return
	trap - EXIT
	for p in "${pids[@]}"; do
		send_signal KILL "$p"
	done
	wait "${pids[@]}" 2>/dev/null
	rm -rf "$TMP"
}
trap lab_clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

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

# ports_become N SWITCH...: each gets exactly that many active ports.
ports_become()
{
	local n=$1 s

	shift
	for s; do
		wait_for active_ports "$s" "$n" || return
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

# R, S, D, T (stopped), Z, or nothing.
state_of()
{
	sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}

alive()
{
	local state

	state=$(state_of "$1")
	[ -n "$state" ] && [ "$state" != Z ]
}

gone()
{
	! alive "$1"
}

# Does a process of start() still run? The shell reaps what ends, and its
# number may be somebody else's by now: only a child of ours is meant, of the
# script or of the subshell that asks.
runs()
{
	local status

	status=$(cat "/proc/$1/status" 2>/dev/null)
	[[ $status == *$'\nPPid:\t'@($$|"$BASHPID")$'\n'* &&
		$status != *$'\nState:\tZ'* ]]
}

ended()
{
	! runs "$1"
}

# send_signal SIGNAL PID
send_signal()
{
	! runs "$2" || kill "-$1" "$2" 2>/dev/null
}

# stop PID [SIGNAL]: its exit status; 137 if it had to be killed.
stop()
{
	local p=$1 q keep=()

	send_signal "${2:-TERM}" "$p"
	# Only what is stopped: SIGCONT takes back the stop by which the leak
	# sanitizer holds an ending process, and both would wait for ever.
	[ "$(state_of "$p")" != T ] || send_signal CONT "$p"
	wait_for -t 4 ended "$p" || send_signal KILL "$p"
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
		lab_failed "vde_switch $name does not start with $*"
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

# console NAME COMMAND...: the data of the reply; status 0 for code 1000.
console()
{
	local name=$1

	shift
	unixcmd -s "$TMP/$name.mgmt" "$@"
}

# active_ports NAME N: are exactly N ports active?
active_ports()
{
	[ "$(console "$1" port/print | grep -c '^Port [0-9]* .* ACTIVE')" \
		-eq "$2" ]
}

# --- namespaces -----------------------------------------------------------

# in_userns "$@": from here on root in user, network and mount namespaces of
# its own, with lo up; starts the script anew. Works for anybody where user
# namespaces are allowed, and for root everywhere.
in_userns()
{
	in_namespaces "-Urnm -nm" "$@"
}

# in_netns "$@": likewise, but root stays the real one, who may become others.
in_netns()
{
	in_namespaces "-nm -Urnm" "$@"
}

in_namespaces()
{
	local how ways=$1

	shift
	if [ "${IN_NAMESPACES:-}" = "$0" ]; then
		unset IN_NAMESPACES
		ip link set lo up
		return
	fi
	for how in $ways; do
		unshare "$how" true 2>/dev/null || continue
		rm -rf "$TMP"
		# shellcheck disable=SC2093
		IN_NAMESPACES=$0 exec unshare "$how" "$0" "$@"
	done
	lab_unable "namespaces are not permitted"
}

have_tap()
{
	ip tuntap add dev vdeprobe mode tap 2>/dev/null &&
		ip link del vdeprobe
}

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
	# shellcheck disable=SC2034
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
