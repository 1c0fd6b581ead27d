# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2153,SC2154,SC2004
# (ROOT and what starts with "started" are lab.sh's)
#
# guest.sh - small virtual machines for tests and examples
#
# To be sourced after lab.sh. A guest is QEMU with its own emulation of the
# processor (no KVM needed), the distribution's kernel and an initramfs made
# here of busybox and the modules of virtio_net. It boots in some three
# seconds, gives eth0 an address and then runs what guest_do sends to its
# serial line. Guests end with the script, as everything that lab.sh starts,
# and by themselves after GUEST_LIFE (120) seconds.
#
#	guest_needs || skip "$guest_lacks"
#	guest_image
#	guest_start one 10.0.0.1/24 -netdev "vde,id=net,sock=$TMP/a.ctl"
#	guest_booted one
#	guest_do one ping -c 3 10.0.0.2

declare -A guest_pid guest_in
guest_lacks=''
# The kernel: the newest in /boot, else what tools/deps has put into build/.
GUEST_KERNEL=${GUEST_KERNEL:-}

# Those that are there as files are loaded, in this order, and then those of
# GUEST_MODULES.
guest_modules='virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev
virtio_pci failover net_failover virtio_net'

# guest_needs: is everything there? If not, guest_lacks says what is not.
guest_needs()
{
	local p

	if [ "$(uname -m)" != x86_64 ]; then
		guest_lacks="guests are for x86-64 only"
		return 1
	fi
	for p in qemu-system-x86_64 cpio; do
		command -v "$p" >/dev/null && continue
		guest_lacks="no $p"
		return 1
	done
	if ! guest_busybox >/dev/null; then
		guest_lacks="no statically linked busybox"
		return 1
	fi
	GUEST_KERNEL=${GUEST_KERNEL:-$(guest_newest_kernel)}
	if [ ! -r "$GUEST_KERNEL" ]; then
		guest_lacks="no kernel in /boot that may be read"
		return 1
	fi
}

guest_newest_kernel()
{
	local k

	for k in $(printf '%s\n' /boot/vmlinuz-* | sort -rV) \
		"$ROOT"/build/kernel/boot/vmlinuz-*; do
		[ -r "$k" ] && [ -d "$(guest_modules_of "$k")" ] && echo "$k" &&
			return
	done
}

guest_modules_of()
{
	echo "${1%/boot/*}/lib/modules/${1#*/boot/vmlinuz-}"
}

guest_busybox()
{
	local b

	for b in /bin/busybox /bin/busybox-static /usr/bin/busybox; do
		# A dynamic program names its loader in its first page.
		[ -x "$b" ] && ! head -c 4096 "$b" | grep -qa '/lib.*/ld-' &&
			echo "$b" && return
	done
	return 1
}

# guest_image: makes $TMP/initrd for GUEST_KERNEL.
guest_image()
{
	local root=$TMP/guest.root m n=10

	mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" \
		"$root/modules" "$root/www" || return
	cp "$(guest_busybox)" "$root/bin/busybox" || return
	for m in $guest_modules ${GUEST_MODULES:-}; do
		guest_module "$m" "$root/modules/$((n++))-$m.ko" || return
	done
	guest_init >"$root/init" && chmod 755 "$root/init" || return
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$TMP/initrd" &&
		rm -rf "$root"
}

# guest_module NAME FILE: unpacks it there, unless the kernel has it built in.
guest_module()
{
	local from

	from=$(find "$(guest_modules_of "$GUEST_KERNEL")/" -name "$1.ko*" \
		-print -quit)
	case $from in
	'') ;;
	*.xz) xz -dc "$from" >"$2" ;;
	*.zst) zstd -qdc "$from" >"$2" ;;
	*.gz) gzip -dc "$from" >"$2" ;;
	*) cp "$from" "$2" ;;
	esac
}

# The first program of a guest. The kernel hands it the words addr=... and
# life=... of its command line as variables. A line read is a command; "@done
# STATUS" follows its output.
guest_init()
{
	cat <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
(sleep "$life"; poweroff -f) &
for m in /modules/*.ko; do
	insmod "$m"
done
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
ip link set lo up
ip link set eth0 up
ip addr add "$addr" dev eth0
stty -echo -onlcr
ip link show eth0 >/dev/null && echo "@ready"
while read -r line; do
	eval "$line"
	echo "@done $?"
done
poweroff -f
END
}

# guest_start NAME ADDRESS/BITS [QEMU OPTION]...: begins to boot. The options
# must define a netdev with the id net. The MAC address ends with the last
# number of the address. QEMU's pid is in ${guest_pid[NAME]}.
guest_start()
{
	local name=$1 addr=$2 host=${2%/*} fd mac

	shift 2
	printf -v mac '52:54:00:00:00:%02x' "${host##*.}"
	rm -f "$TMP/$name.serial"
	mkfifo "$TMP/$name.serial"
	exec {fd}<>"$TMP/$name.serial"
	guest_in[$name]=$fd
	# shellcheck disable=SC2016
	start bash -c 'exec "$@" <"$0"' "$TMP/$name.serial" \
		qemu-system-x86_64 -accel tcg -m 128 -nodefaults \
		-display none -serial stdio -no-reboot \
		-kernel "$GUEST_KERNEL" -initrd "$TMP/initrd" -append \
		"console=ttyS0 quiet panic=-1 mitigations=off no_timer_check addr=$addr life=${GUEST_LIFE:-120}" \
		-device "virtio-net-pci,netdev=net,mac=$mac,romfile=" "$@"
	guest_pid[$name]=$started
	# shellcheck disable=SC2034
	started_as[$started]=qemu-system-x86_64
}

# guest_booted NAME: waits for it. Else guest_state NAME says what is wrong:
# "slow" if QEMU is still at it, or "dead".
guest_booted()
{
	wait_for -t 90 guest_is_settled "$1" && [ "$(guest_state "$1")" = ready ]
}

guest_state()
{
	if grep -qa '^@ready' "$TMP/${guest_pid[$1]}.log"; then
		echo ready
	elif alive "${guest_pid[$1]}"; then
		echo slow
	else
		echo dead
	fi
}

guest_is_settled()
{
	[ "$(guest_state "$1")" != slow ]
}

# guest_do NAME COMMAND...: one line for the guest's shell. Its output, and
# its status; 1 if it takes longer than 30 seconds.
guest_do()
{
	local name=$1 log=$TMP/${guest_pid[$1]}.log skip

	shift
	skip=$(wc -l <"$log")
	echo "$*" >&"${guest_in[$name]}"
	wait_for -t 30 guest_is_done "$log" "$skip" || return
	tail -n "+$((skip + 1))" "$log" | tr -d '\r' | sed '/^@done /,$d'
	return "$(guest_is_done "$log" "$skip")"
}

# Prints the status that follows line $2 of the log $1.
guest_is_done()
{
	tail -n "+$(($2 + 1))" "$1" | tr -d '\r' |
		sed -n 's/^@done \([0-9]*\)$/\1/p' | grep -m 1 .
}
