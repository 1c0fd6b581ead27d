#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# install.sh - what make install puts is complete, works and goes again
#
# Installs what is built in $BUILD below a temporary DESTDIR that already has
# files of somebody else, builds a client against it, and uninstalls. Called
# at the root of the tree.
set -u
BUILD=${BUILD:-$PWD/build}
n=0 bad=0
tmp=$(mktemp -d /tmp/vde-inst.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
# The outer make's jobs are not ours.
MAKEFLAGS=$(sed 's/ *--jobserver[^ ]*//; s/ *-j[0-9]*//' <<<"${MAKEFLAGS:-}")
export MAKEFLAGS
top=$tmp/usr/local

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

# Without the flags of the build: nothing may be compiled here.
quiet_make()
{
	make --no-print-directory BUILD="${BUILD#"$PWD"/}" SAN="${SAN:-}" \
		DESTDIR="$tmp" PREFIX=/usr/local "$@" 2>&1
}

files()
{
	(cd "$tmp" && find . ! -type d | sed 's/^\.//' | sort)
}

mkdir -p "$top/bin" "$top/share/doc/other" "$top/lib"
echo theirs >"$top/bin/other"
echo theirs >"$top/lib/libother.so.2"
before=$(files)

out=$(quiet_make install)
point "make install succeeds" "$(grep -E 'Error|No rule' <<<"$out")"
[ -z "${MAKELEVEL:-}" ] ||
	point "and compiles nothing" "$(grep -w 'CC' <<<"$out")"
point "list-installed is what was installed" "$(
	diff <({ quiet_make list-installed; echo "$before"; } | sort) <(files)
)"
point "every installed program runs" "$(
	for p in "$top"/bin/*; do
		[ "${p##*/}" = other ] && continue
		"$p" --version >/dev/null 2>&1 ||
			echo "${p##*/} --version: status $?"
	done
)"
point "no program, page or library is writable by others" "$(
	find "$top" -type f -perm /022
)"

if [ -e "$top/lib/libvdeplug.so" ] && [ -z "${SAN:-}" ]; then
	cat >"$tmp/client.c" <<-'C'
		#include <libvdeplug.h>
		#include <errno.h>
		int main(void)
		{
			char none[] = "/nonexistent", who[] = "test";
			return vde_open(none, who, 0) || errno != ENOENT;
		}
	C
	point "a client builds and runs with the shared library" "$(
		${CC:-cc} -I"$top/include" "$tmp/client.c" -L"$top/lib" \
			-lvdeplug -o "$tmp/shared" 2>&1 &&
			LD_LIBRARY_PATH=$top/lib "$tmp/shared" 2>&1 ||
			echo "status $?"
	)"
	point "and with the static one" "$(
		${CC:-cc} -I"$top/include" "$tmp/client.c" \
			"$top/lib/libvdeplug.a" -o "$tmp/static" 2>&1 &&
			"$tmp/static" 2>&1 || echo "status $?"
	)"
	if command -v pkg-config >/dev/null; then
		point "vdeplug.pc tells how" "$(
			PKG_CONFIG_PATH=$top/lib/pkgconfig pkg-config \
				--exists vdeplug || echo "no vdeplug"
			PKG_CONFIG_PATH=$top/lib/pkgconfig pkg-config \
				--libs vdeplug | grep -qw -e -lvdeplug ||
				echo "no -lvdeplug"
		)"
	fi
	rm -f "$tmp/client.c" "$tmp/shared" "$tmp/static"
fi

# Nothing of this tree but what was installed.
if [ -e "$top/include/vde_plugin.h" ] && [ -z "${SAN:-}" ]; then
	cp examples/plugin-count.c "$tmp/count.c"
	flags=-I$top/include
	if command -v pkg-config >/dev/null; then
		export PKG_CONFIG_PATH=$top/lib/pkgconfig
		export PKG_CONFIG_SYSROOT_DIR=$tmp
		flags=$(pkg-config --cflags vde-plugin)
		point "vde-plugin.pc tells how to build a plugin, and where it goes" "$(
			[ "$flags" = "-I$top/include " ] ||
				[ "$flags" = "-I$top/include" ] || echo "$flags"
			d=$(pkg-config --variable=plugindir vde-plugin)
			[ -e "$tmp$d/dump.so" ] || [ -e "$d/dump.so" ] ||
				echo "no dump.so in $d"
		)"
	fi
	mkfifo "$tmp/ready"
	"$top/bin/vde_switch" --nostdin -f /dev/null -s "$tmp/ctl" \
		-M "$tmp/mgmt" --ready-fd 9 9>"$tmp/ready" &
	read -rt 10 _ <"$tmp/ready"
	# shellcheck disable=SC2086 # they are words
	point "a plugin is built with it and loaded by the installed switch" "$(
		${CC:-cc} -shared -fPIC $flags "$tmp/count.c" \
			-o "$tmp/count.so" 2>&1
		for p in "$tmp/count.so" "$top/lib/vde2/plugins/"*.so; do
			"$top/bin/unixcmd" -s "$tmp/mgmt" plugin/add "$p" 2>&1
		done
		"$top/bin/unixcmd" -s "$tmp/mgmt" plugin/list |
			grep -qE '^count +count frames by type$' || echo "not there"
	)"
	kill $!
	wait $! 2>/dev/null
	rm -f "$tmp/count.c" "$tmp/count.so" "$tmp/ready"
fi

out=$(quiet_make uninstall)
point "make uninstall leaves what was there before, and no more" "$(
	diff <(echo "$before") <(files)
)"
point "the directories of the project are gone" "$(
	find "$top" -type d \( -path '*/doc/vde*' -o -path '*/vde2*' \)
)"
echo "1..$n"
exit $bad
