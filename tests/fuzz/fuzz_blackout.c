/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Schedules of blackouts. A refusal says why and changes nothing; what is
 * taken is in range, and what is printed of it some time later means the same.
 * The first four bytes are the time until then, in microseconds.
 */
#include <string.h>

#include "base/util.h"
#include "input.h"
#include "wirefilter/blackout.h"

#define NOW UINT64_C(1000000000000)
#define NS_MAX ((uint64_t)(BLACKOUT_MS_MAX * 1e6))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct strbuf why;

static void check_taken(const struct blackout *b, int n)
{
	must(n <= BLACKOUT_MAX && why.len == 0);
	for (int i = 0; i < n; i++) {
		must(b[i].from >= NOW && b[i].from <= NOW + NS_MAX);
		must(b[i].length > 0 && b[i].length <= NS_MAX);
		must(b[i].period <= NS_MAX);
		must(!b[i].period || b[i].length <= b[i].period);
	}
}

/* The same from @now on as seen from NOW on. */
static void check_same(const struct blackout *b, int n,
		       const struct blackout *c, int m, uint64_t now)
{
	for (int i = 0; i < n; i++) {
		uint64_t at = b[i].from > now ? b[i].from - now : 0;

		for (int k = 0; k < 4; k++) {
			for (uint64_t ns = at; ns < at + 3; ns++)
				must(blackout_is_on(b, n, now + ns) ==
				     blackout_is_on(c, m, NOW + ns));
			at += k % 2 ? b[i].period : b[i].length - 1;
		}
	}
}

static void check_again(const struct blackout *b, int n, uint64_t now)
{
	struct blackout again[BLACKOUT_MAX];
	char text[4096], same[4096];
	struct strbuf out;
	int m;

	strbuf_init(&out, text, sizeof(text));
	blackout_print(&out, b, n, now);
	must(!out.cut && out.len > 0);
	m = blackout_parse(again, text, NOW, &why);
	if (m < 0) { /* more than there may be */
		must(n > BLACKOUT_MAX / 2);
		return;
	}
	check_taken(again, m);
	check_same(b, n, again, m, now);
	strbuf_init(&out, same, sizeof(same));
	blackout_print(&out, again, m, NOW);
	must(!strcmp(text, same));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint64_t now = NOW + (uint64_t)take32(&in) * 1000;
	struct blackout b[BLACKOUT_MAX], was[BLACKOUT_MAX];
	char text[512], reason[256];
	int n;

	in.left = size_min(in.left, sizeof(text) - 1);
	memcpy(text, in.p, in.left);
	text[in.left] = '\0';
	memset(b, 0x5a, sizeof(b));
	memcpy(was, b, sizeof(b));
	strbuf_init(&why, reason, sizeof(reason));
	n = blackout_parse(b, text, NOW, &why);
	if (n < 0) {
		must(n == -1 && why.len > 0 && !why.cut);
		must(!memcmp(b, was, sizeof(b)));
		return 0;
	}
	check_taken(b, n);
	check_again(b, n, NOW);
	check_again(b, n, now);
	return 0;
}
