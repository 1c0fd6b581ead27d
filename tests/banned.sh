#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# banned.sh - calls that cannot be used safely are not used
#
# Bounds come from strbuf.h, numbers from num.h. Comments do not count.
# Called at the root of the tree.
n=0
dirs='src tests'
[ ! -d bench ] || dirs="$dirs bench"
for f in strcpy strcat strncpy strncat sprintf vsprintf atoi atol atoll sscanf \
	strtok gets alloca; do
	n=$((n + 1))
	# shellcheck disable=SC2086
	hits=$(grep -rnE --include="*.[ch]" "(^|[^_[:alnum:]])${f}[[:space:]]*\(" \
		$dirs | grep -vE "^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)")
	if [ -n "$hits" ]; then
		echo "not ok $n - nobody calls $f()"
		echo "$hits" | sed 's/^/# /'
	else
		echo "ok $n - nobody calls $f()"
	fi
done
echo "1..$n"
