#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# abi.sh - the library is what programs built for VDE's find under its name
#
# Names, version tag, SONAME and structures of libvdeplug.so.2; what a library
# in somebody else's process must not do; the header in other languages; and
# programs that were built for the installed libvdeplug, if there is one, with
# ours in its place. Called at the root of the tree.
set -u
BUILD=${BUILD:-$PWD/build}
CC=${CC:-cc}
so=$BUILD/libvdeplug.so.2
static=$BUILD/static/libvdeplug.a
n=0 bad=0
tmp=$(mktemp -d /tmp/vde-abi.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
LC_ALL=C
export LC_ALL

# point SENTENCE PROBLEMS: ok if there is none.
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

skip_point()
{
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

# What compiling and linking has to say; nothing is right.
try_cc()
{
	"$@" -Wall -Wextra -Werror 2>&1 || echo "failed: $*"
}

# exported FILE: the names others can link to.
exported()
{
	nm "$@" | awk 'NF == 3 && $2 ~ /^[A-Z]$/ && $2 != "U" { print $3 }' |
		sort
}

wanted=$(printf '%s\n' __vde_version_tag vde_close vde_ctlfd vde_datafd \
	vde_open_batch vde_open_real vde_offloads vde_recv vde_recv_batch \
	vde_send vde_send_batch vde_sendfd vdestream_close vdestream_open \
	vdestream_recv vdestream_send | sort)
in_map=$(sed -n 's/^\t\([a-z_]*\);$/\1/p' src/lib/libvdeplug.map | sort)
sanitized=$(nm "$so" | grep -c -m 1 '__[au][sb]san')

# --- names ------------------------------------------------------------------

point "the map has the names of Debian's library and our batches" \
	"$(diff <(echo "$wanted") <(echo "$in_map"))"
if [ "$sanitized" -eq 0 ]; then
	point "the shared library exports these and no other" \
		"$(diff <(echo "$wanted") <(exported -D "$so"))"
	point "so does the static one" \
		"$(diff <(echo "$wanted") <(exported "$static"))"
fi
point "it is libvdeplug.so.2" "$(readelf -d "$so" | grep SONAME |
	grep -vF '[libvdeplug.so.2]'
	readelf -d "$so" | grep -q SONAME || echo no SONAME)"
point "its names have no versions" "$(readelf -V "$so" | grep -i 'definition')"
point "the linker finds it as libvdeplug.so" \
	"$([ "$(readlink "$BUILD/libvdeplug.so")" = libvdeplug.so.2 ] ||
		echo "no link")"
point "the version tag has 64 bits" "$(readelf -sW "$so" |
	awk '$8 == "__vde_version_tag" && ($3 != 8 || $4 != "OBJECT")')"

installed=$(ldconfig -p 2>/dev/null |
	sed -n 's/.*libvdeplug\.so\.2 .*=> //p' | head -n 1)
if [ -n "$installed" ] && [ "$sanitized" -eq 0 ] &&
	readelf -d "$installed" | grep -q 'libvdeplug.so.2'; then
	point "the installed libvdeplug has no name that ours lacks" \
		"$(comm -23 <(exported -D "$installed" | grep vde) \
			<(exported -D "$so"))"
else
	skip_point "the installed libvdeplug has no name that ours lacks" \
		"none is installed"
fi

# --- manners ----------------------------------------------------------------

if [ "$sanitized" -eq 0 ]; then
	point "it needs nothing but the C library" "$(readelf -d "$so" |
		sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^libc\.so')"
	point "it has no variables" "$(size -A "$static" |
		awk '($1 == ".data" || $1 == ".bss") && $2 > 0')"
	point "it neither ends nor speaks nor starts a thread" \
		"$(nm -u "$static" | awk '{ print $2 }' | grep -xE \
		'_?exit|_Exit|abort|v?f?printf|__v?f?printf_chk|f?puts|perror|v?syslog|signal|raise|pthread_create|fork|system|popen|atexit|umask|chdir|setenv|putenv')"
fi

# --- the header -------------------------------------------------------------

cat >"$tmp/use.c" <<'EOF'
#include <libvdeplug.h>
#include <stddef.h>
#include <stdio.h>

extern const unsigned long long __vde_version_tag;

static ssize_t on_frame(void *opaque, void *buf, size_t len)
{
	(void)buf;
	return opaque ? -1 : (ssize_t)len;
}

static void on_error(void *opaque, int type, char *format, ...)
{
	(void)opaque;
	printf("%d %s\n", type == PACKET_LENGTH_ERROR, format);
}

int main(void)
{
	char url[] = "null://", descr[] = "abi";
	struct vde_open_args args = { 0, NULL, 0700 };
	unsigned char big[2] = { 255, 255 };
	VDECONN *c = vde_open(url, descr, &args);
	VDESTREAM *vs = vdestream_open(NULL, 1, on_frame, on_error);

	if (!c || !vs || sizeof(args) != 24 || offsetof(struct vde_open_args, group) != 8 ||
	    offsetof(struct vde_open_args, mode) != 16 || VDE_ETHBUFSIZE != 9234 ||
	    LIBVDEPLUG_INTERFACE_VERSION != 1 || VDE_MAXMTU != 9216)
		return 1;
	if (vde_send(c, url, 7, 0) != 7 || vde_datafd(c) < 0 || vde_ctlfd(c) != -1)
		return 2;
	if (vde_recv(NULL, url, 7, 0) != -1 || __vde_version_tag != 4)
		return 3;
	vdestream_recv(vs, big, 2);
	fflush(stdout);
	if (vdestream_send(vs, "hello\n", 6) != 8)
		return 4;
	vdestream_close(vs);
	return vde_close(c);
}
EOF
cp "$tmp/use.c" "$tmp/use.cc"
cat >"$tmp/expected" <<'EOF'
1 size %d expected size %d
EOF
printf '\0\6hello\n' >>"$tmp/expected"

# runs SENTENCE COMMAND...: ends well with the expected output.
runs()
{
	local what=$1 out

	shift
	out=$("$@" 2>&1 >"$tmp/out") || out="$out status $?"
	point "$what" "$out$(cmp "$tmp/out" "$tmp/expected" 2>&1)"
}

lp64=$(getconf LONG_BIT)
if [ "$sanitized" -ne 0 ]; then
	skip_point "a program uses the header and the libraries" \
		"the library is built with a sanitizer"
elif [ "$lp64" != 64 ]; then
	skip_point "a program uses the header and the libraries" "not 64 bits"
else
	for std in c90 c11; do
		point "a program in $std uses the header" "$(try_cc "$CC" \
			-std=$std -D_GNU_SOURCE -Wno-long-long -pedantic \
			-Isrc/lib "$tmp/use.c" -o "$tmp/use" \
			-L"$BUILD" -lvdeplug)"
		runs "and runs with the shared library" \
			env LD_LIBRARY_PATH="$BUILD" "$tmp/use"
	done
	if command -v c++ >/dev/null; then
		point "a program in C++ uses the header" "$(try_cc c++ \
			-D_GNU_SOURCE -pedantic -Isrc/lib "$tmp/use.cc" \
			-o "$tmp/use++" -L"$BUILD" -lvdeplug)"
		runs "and runs with the shared library" \
			env LD_LIBRARY_PATH="$BUILD" "$tmp/use++"
	else
		skip_point "a program in C++ uses the header" "no c++"
	fi
	# Its own functions have names that the library uses inside.
	cat >>"$tmp/use.c" <<'EOF'
int parse_num(void);
int stream_init(void);
int dgram_send(void);
int parse_num(void) { return 1; }
int stream_init(void) { return 2; }
int dgram_send(void) { return 3; }
EOF
	point "a program with names of its own uses the static library" \
		"$(try_cc "$CC" -D_GNU_SOURCE -Isrc/lib "$tmp/use.c" \
			-o "$tmp/use-static" "$static")"
	runs "and runs without the shared one" "$tmp/use-static"
fi

# --- programs of others -----------------------------------------------------

if [ "$sanitized" -ne 0 ] || [ -z "$installed" ] ||
	! echo '#include <libvdeplug.h>' | "$CC" -E - >/dev/null 2>&1; then
	skip_point "a program built for the installed library runs with ours" \
		"no libvdeplug-dev, or a sanitizer"
else
	point "a program is built for the installed library" \
		"$(try_cc "$CC" -D_GNU_SOURCE "$tmp/use.c" -o "$tmp/theirs" \
			-lvdeplug)"
	runs "it runs with ours" env LD_LIBRARY_PATH="$BUILD" "$tmp/theirs"
	point "which the loader has found" \
		"$(LD_LIBRARY_PATH=$BUILD ldd "$tmp/theirs" |
			grep libvdeplug | grep -vF "$so")"
fi
echo "1..$n"
exit "$bad"
