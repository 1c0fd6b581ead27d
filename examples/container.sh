#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# container.sh - put a container, or any network namespace, on a switch
#
#	container.sh MGMT PID ADDRESS/BITS [NAME]     as root
#	container.sh MGMT PID stop
#
# PID is a process in the container, MGMT the console of a switch that runs as
# root here. The container gets the interface NAME (eth1) with that address;
# the other end of the veth, vde-PID, is a port of the switch. No /dev/net/tun
# is needed on either side. It ends with the container.
set -e
usage='usage: container.sh MGMT PID ADDRESS/BITS [NAME] | container.sh MGMT PID stop'
mgmt=${1:?$usage}
pid=${2:?$usage}
address=${3:?$usage}
name=${4:-eth1}
port=vde-$pid

if [ "$address" = stop ]; then
	unixcmd -s "$mgmt" if/del "$port"
	ip link del "$port"
	exit
fi
ip link add "$port" type veth peer name "$name" netns "$pid"
# This end is a wire, not a host: it has nothing to say of its own.
echo 1 >"/proc/sys/net/ipv6/conf/$port/disable_ipv6"
ip link set "$port" up
nsenter -t "$pid" -n ip addr add "$address" dev "$name"
nsenter -t "$pid" -n ip link set "$name" up
unixcmd -s "$mgmt" if/add "$port"
