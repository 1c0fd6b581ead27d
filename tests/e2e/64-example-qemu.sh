#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 150
#
# examples/qemu-guests.sh boots two guests on a switch; a file gets from one
# to the other as it is.
. "${0%/*}/lib.sh"
# shellcheck source=tools/guest.sh
. "$ROOT/tools/guest.sh"
guest_needs || skip "$guest_lacks"

out=$("$ROOT/examples/qemu-guests.sh" 2>&1)
rc=$?
[[ $out != *"boots too slowly"* ]] || skip "a guest boots too slowly here"
is "the example ends well" "$rc" 0
like "the switch shows the guests" "$out" 'prog   : QEMU user='
like "one guest reaches the other" "$out" '3 packets received, 0% packet loss'
sums=$(sed -n 's/^    \([0-9a-f]*\)  -$/\1/p' <<<"$out")
is "a checksum is taken on both" "$(wc -l <<<"$sums")" 2
is "they are the same" "$(sort -u <<<"$sums" | wc -l)" 1
empty=$(sha256sum </dev/null)
is "and not that of nothing" "$(grep -c "^${empty%% *}" <<<"$sums")" 0
[ "$bad" -eq 0 ] || printf '# %s\n' "${out//$'\n'/$'\n'# }"
done_testing
