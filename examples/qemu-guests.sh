#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# qemu-guests.sh - two virtual machines on one switch
#
# QEMU is a client of the switch by itself: -netdev vde,sock=DIRECTORY plugs
# a guest's network card in. The guests here are a kernel from /boot and
# busybox, so that nothing has to be downloaded; with a disk image of your own
# the line is the same:
#
#	qemu-system-x86_64 -drive file=disk.qcow2 -m 1G \
#		-netdev vde,id=net,sock=/tmp/a.ctl \
#		-device virtio-net-pci,netdev=net,mac=52:54:00:00:00:01
#
# Every guest needs a MAC address of its own. QEMU_LIB=DIRECTORY makes QEMU
# use the libvdeplug.so.2 of that directory instead of the system's.
set -u
ROOT=$(cd "${0%/*}/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
PATH=$BUILD/bin:$PATH:/usr/sbin:/sbin
# shellcheck source=tools/lab.sh
. "$ROOT/tools/lab.sh"
# shellcheck source=tools/guest.sh
. "$ROOT/tools/guest.sh"

lab_unable()
{
	echo "qemu-guests: unable to go on: $*" >&2
	exit 1
}

lab_failed()
{
	log_of "$started" >&2
	lab_unable "$@"
}

# guest NAME COMMAND...: shows what is typed in a guest, and the answer.
guest()
{
	printf '  %s# %s\n' "$1" "${*:2}"
	guest_do "$@" | sed '/^$/d; s/^/    /'
	[ "${PIPESTATUS[0]}" -eq 0 ] || lab_unable "the command failed"
}

guest_needs || lab_unable "$guest_lacks"
guest_image || lab_unable "no initramfs"

echo '$ vde_switch -s a.ctl -M a.mgmt'
start_switch a

echo '$ qemu-system-x86_64 ... -netdev vde,id=net,sock=a.ctl    (twice)'
[ -z "${QEMU_LIB:-}" ] || export LD_LIBRARY_PATH=$QEMU_LIB
guest_start one 10.0.0.1/24 -netdev "vde,id=net,sock=$TMP/a.ctl"
guest_start two 10.0.0.2/24 -netdev "vde,id=net,sock=$TMP/a.ctl"
unset LD_LIBRARY_PATH
for name in one two; do
	guest_booted $name && continue
	[ "$(guest_state $name)" = dead ] || lab_unable "a guest boots too slowly"
	log_of "${guest_pid[$name]}" >&2
	lab_unable "QEMU ended"
done

echo '$ unixcmd -s a.mgmt port/print'
console a port/print | sed 's/^/    /'

guest one ping -c 3 -i 0.3 10.0.0.2
guest two 'head -c 1000000 /dev/urandom >/www/f; httpd -h /www'
guest two 'sha256sum </www/f'
guest one 'wget -qO- http://10.0.0.2/f | sha256sum'

echo '$ unixcmd -s a.mgmt hash/print'
console a hash/print | sed 's/^/    /'
