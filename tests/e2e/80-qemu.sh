#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 300
#
# 80-qemu.sh - two guests of Debian's QEMU on our switch: ping, frames of 8000
# bytes and a TCP transfer; once QEMU uses Debian's libvdeplug, once ours.
. "${0%/*}/lib.sh"
# shellcheck source=tools/guest.sh
. "$ROOT/tools/guest.sh"
need vde_switch python3
guest_needs || skip "$guest_lacks"
guest_image || exit 1
start_switch a --numports 8

# uses_lib NAME: the library that this guest's QEMU has loaded.
uses_lib()
{
	awk '/libvdeplug/ { print $6; exit }' "/proc/${guest_pid[$1]}/maps"
}

# run_guests KIND TRANSPORT LIBRARY [DIRECTORY]
run_guests()
{
	local kind=$1 transport=$2 lib=$3 dir=${4:-} ports sum user

	user=$(id -un)
	[ -z "$dir" ] || export LD_LIBRARY_PATH=$dir
	guest_start one 10.0.0.1/24 -netdev "vde,id=net,sock=$TMP/a.ctl"
	guest_start two 10.0.0.2/24 -netdev "vde,id=net,sock=$TMP/a.ctl[7]"
	unset LD_LIBRARY_PATH
	boots one "$kind: guest one boots" || return
	boots two "$kind: guest two boots" || return
	like "$kind: QEMU uses that library" \
		"$(uses_lib one) $(uses_lib two)" "^(${lib}[^ ]*) \\1$"

	is "$kind: the switch shows what moves their frames" "$(transports a)" \
		"$transport $transport"
	ports=$(console a port/print)
	like "$kind: the switch names the guest on a free port" "$ports" \
		"-- endpoint ID .*: QEMU user=$user pid=${guest_pid[one]}\b"
	like "$kind: and the one on the port asked for" \
		"$(console a port/print 7)" \
		"-- endpoint ID .*: QEMU user=$user pid=${guest_pid[two]}\b"

	check "$kind: ping" guest_do one ping -c 3 -i 0.2 -W 5 10.0.0.2
	guest_do one ip link set eth0 mtu 9000 >/dev/null
	guest_do two ip link set eth0 mtu 9000 >/dev/null
	check "$kind: ping with 8000 bytes in one frame" \
		guest_do one ping -c 1 -W 5 -s 8000 10.0.0.2
	guest_do one ip link set eth0 mtu 1500 >/dev/null
	guest_do two ip link set eth0 mtu 1500 >/dev/null

	sum=$(guest_do two 'head -c 8000000 /dev/urandom >/www/f' \
		'&& httpd -h /www && wc -c </www/f && sha256sum </www/f')
	like "$kind: guest two serves 8 MB" "$sum" '^8000000$'
	is "$kind: guest one gets them over TCP as they are" \
		"$(guest_do one 'timeout 20 wget -qO /www/g http://10.0.0.2/f;' \
			'wc -c </www/g; sha256sum </www/g')" "$sum"
	like "$kind: the switch has learned both guests" \
		"$(console a hash/print)" '52:54:00:00:00:02 .* port: 007'

	check "$kind: guest one ends when it is told to" stop_guest one
	check "$kind: guest two ends when it is told to" stop_guest two
	check "$kind: their ports are free again" wait_for active_ports a 0
}

stop_guest()
{
	local fd=${guest_in[$1]}

	stop "${guest_pid[$1]}"
	exec {fd}>&-
}

run_guests "Debian's library" dgram /usr/lib/
if [ -n "${SAN:-}" ] || nm -D "$BUILD/libvdeplug.so.2" | grep -q __asan_init
then
	skip_point "QEMU with our library: it is built with a sanitizer"
else
	run_guests "our library" ring "$BUILD/" "$BUILD"
fi
done_testing
