#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 82-debian-plugs.sh - Debian's vde_switch, vde_plug, dpipe and wirefilter with
# ours, each on either side. (Tests of our own programs meet some of them, too;
# here it is every pair.)
. "${0%/*}/lib.sh"
need vde_switch dpipe "$BUILD/bin/vde_plug" python3 \
	/usr/bin/vde_switch /usr/bin/vde_plug /usr/bin/dpipe
cd "$TMP" || exit 1

start_switch ours
start_peer_switch theirs
declare -A plug=([ours]=$BUILD/bin/vde_plug [theirs]=/usr/bin/vde_plug)

# gets FROM TO PORTS WORD: a frame sent at switch FROM reaches a listener at
# switch TO, which has that many ports before and after. $sender and $listener
# are the programs.
sender=ours listener=ours
gets()
{
	local rc

	PLUG=${plug[$listener]} listen_at "$TMP/$2.ctl"
	clients_become $(($3 + 1)) "$2"
	PLUG=${plug[$sender]} passes "$TMP/$1.ctl" "$4" "$started"
	rc=$?
	# One after the other, see clients_become.
	clients_become $(($3 + 1)) "$2"
	stop "$started"
	clients_become "$3" "$1" "$2"
	return "$rc"
}

# --- every plug on every switch ----------------------------------------------

for switch in ours theirs; do
	for sender in ours theirs; do
		for listener in ours theirs; do
			[ "$switch$sender$listener" != theirstheirstheirs ] ||
				continue
			check "switch $switch, from plug $sender to $listener" \
				gets $switch $switch 0 "$sender-$listener"
		done
	done
done
sender=ours listener=ours

# --- Debian's plug with our library ------------------------------------------

if can_borrow; then
	borrow vde_plug
	plug[borrowed]=$TMP/our-lib-vde_plug
	start "${plug[borrowed]}" "$TMP/ours.ctl"
	check "Debian's plug with our library plugs in" clients_become 1 ours
	is "by shared memory" "$(transports ours)" ring
	stop "$started"
	clients_become 0 ours
	for switch in ours theirs; do
		sender=borrowed listener=borrowed
		check "switch $switch, from one to another" \
			gets $switch $switch 0 "borrowed-$switch"
		sender=theirs listener=borrowed
		check "and from one with its own" \
			gets $switch $switch 0 "mixed-$switch"
	done
	sender=ours listener=ours
	start env VDE_TRANSPORT=dgram "${plug[borrowed]}" "$TMP/ours.ctl"
	clients_become 1 ours
	is "or by datagrams if told so" "$(transports ours)" dgram
	stop "$started"
	clients_become 0 ours
else
	skip_point "Debian's plug with our library: built with a sanitizer"
fi

# --- options and locators of Debian's plug on our switch ---------------------

start /usr/bin/vde_plug --port 5 -g "$(id -gn)" -m 660 -D hello "$TMP/ours.ctl"
clients_become 1 ours
like "Debian's --port and --descr" "$(console ours port/print 5)" \
	": hello user=$(id -un) pid=$started\$"
stop "$started"
for locator in "$TMP/ours.ctl[7]" "vde://$TMP/ours.ctl[port=7]" \
	"vde://$TMP/ours.ctl[7/mode=660]"; do
	start /usr/bin/vde_plug "$locator"
	check "Debian's locator ${locator/"$TMP"/}" \
		wait_for console ours port/print 7
	stop "$started"
	clients_become 0 ours
done
start /usr/bin/vde_plug "$TMP/ours.ctl[0]"
check "Debian's [0] is port 0" wait_for console ours port/print 0
stop "$started"
clients_become 0 ours
timeout 10 /usr/bin/vde_plug "$TMP/ours.ctl[99]" </dev/null >refused 2>&1
is "Debian's plug is told of a port that is not there" \
	"$? $(grep -c vde_open refused)" "1 1"

# --- cables of one of each -----------------------------------------------------

# cable WHAT COMMAND...: joins our switch and Debian's; a frame each way.
cable()
{
	local what=$1

	shift
	start "$@"
	cable=$started
	check "$what: is plugged in on both" clients_become 1 ours theirs
	check "$what: a frame gets to Debian's switch" \
		gets ours theirs 1 there
	check "$what: and one to ours" gets theirs ours 1 back
}

# cut: ends the cable; Debian's dpipe leaves its commands alone when killed.
cut()
{
	pkill -TERM -P "$cable"
	stop "$cable"
	clients_become 0 ours theirs
}

cable "our dpipe, Debian's plug left" dpipe \
	/usr/bin/vde_plug "$TMP/ours.ctl" = vde_plug "$TMP/theirs.ctl"
check "our dpipe ends both" cut
cable "Debian's dpipe, Debian's plug right" /usr/bin/dpipe \
	vde_plug "$TMP/ours.ctl" = /usr/bin/vde_plug "$TMP/theirs.ctl"
check "Debian's dpipe ends both" cut
cable "Debian's plug runs ours" /usr/bin/vde_plug "$TMP/ours.ctl" = \
	"$BUILD/bin/vde_plug" "$TMP/theirs.ctl"
check "and they end together" cut
cable "our plug runs Debian's" vde_plug "$TMP/ours.ctl" = \
	/usr/bin/vde_plug "$TMP/theirs.ctl"
check "and they end together" cut
cable "our plug with two locators" vde_plug "$TMP/ours.ctl" "$TMP/theirs.ctl"
check "it ends" cut
cable "Debian's plug with two locators" /usr/bin/vde_plug \
	"$TMP/ours.ctl" "$TMP/theirs.ctl"
check "it ends" cut

# --- Debian's wirefilter -------------------------------------------------------

if [ -x /usr/bin/wirefilter ]; then
	# Its log goes where dpipe's does.
	cable "Debian's wirefilter in our dpipe" dpipe \
		vde_plug "$TMP/ours.ctl" = \
		/usr/bin/wirefilter -d 1 -M "$TMP/wf.mgmt" = \
		vde_plug "$TMP/theirs.ctl"
	like "it finds both its sides" "$(log_of "$cable")" \
		': bidirectional filter starting'
	check "it can be told and asked" unixcmd -s "$TMP/wf.mgmt" delay 20
	like "by our unixcmd" "$(unixcmd -s "$TMP/wf.mgmt" showinfo)" \
		'^Delay +L->R 20.* R->L 20'
	check "the chain ends" cut
	start dpipe vde_plug "$TMP/ours.ctl" =} /usr/bin/wirefilter }= \
		vde_plug "$TMP/theirs.ctl"
	cable=$started
	clients_become 1 ours theirs
	check "between =} and }= it has one direction" wait_for \
		grep -q ': monodirectional filter starting' "$TMP/$cable.log"
	check "frames pass it" gets ours theirs 1 one-way
	check "and pass beside it the other way" gets theirs ours 1 other-way
	check "the chain ends" cut
	start /usr/bin/wirefilter -M "$TMP/wf2.mgmt" \
		-v "$TMP/ours.ctl:$TMP/theirs.ctl"
	cable=$started
	check "Debian's wirefilter plugs itself into our switch" \
		clients_become 1 ours theirs
	check "and a frame passes" gets ours theirs 1 wire
	cut
else
	skip_point "Debian's wirefilter: not installed"
fi

# --- a switch inside Debian's library ------------------------------------------

if ls /usr/lib/*/vdeplug/libvdeplug_switch.so >/dev/null 2>&1; then
	start /usr/bin/vde_plug "switch://$TMP/node"
	node=$started
	wait_for test -S "$TMP/node/ctl"
	check "our plug at a switch:// of Debian's library" \
		passes "$TMP/node" to-node "$node"
	stop "$node"
else
	skip_point "a switch:// of Debian's library: not installed"
fi

# --- Debian's unixterm on our console ------------------------------------------

if [ -x /usr/bin/unixterm ]; then
	# shellcheck disable=SC2016
	mkfifo typed
	exec {typed}<>typed
	# shellcheck disable=SC2016
	start bash -c 'exec /usr/bin/unixterm "$0" <typed' "$TMP/ours.mgmt"
	echo port/showinfo >&"$typed"
	check "Debian's unixterm shows our console" \
		wait_for grep -q '^Numports=' "$TMP/$started.log"
	check "and its prompt" wait_for grep -q '^vde\$ ' "$TMP/$started.log"
else
	skip_point "Debian's unixterm: not installed"
fi
done_testing
