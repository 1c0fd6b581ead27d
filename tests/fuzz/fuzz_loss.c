/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Models of loss, as text. A refusal says why; what is taken is in range, and
 * a list that is printed is the same list again. The first byte chooses.
 */
#include <string.h>

#include "base/util.h"
#include "input.h"
#include "wirefilter/loss.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char reason[256];
static struct strbuf why;

static bool is_share(double v)
{
	return v >= 0 && v <= 1;
}

static void try_gilbert(const char *text)
{
	struct loss_gilbert g = { 2, 2, 2, 2 };
	bool ok = loss_gilbert_parse(&g, text, &why);

	must(ok == (why.len == 0));
	if (!ok) {
		must(g.p == 2 && g.r == 2 && g.h1 == 2 && g.k1 == 2);
		return;
	}
	must(is_share(g.p) && is_share(g.r) && is_share(g.h1) &&
	     is_share(g.k1));
	must(is_share(loss_gilbert_mean(&g) / (1 + 1e-12)));
}

static void try_period(const char *text)
{
	struct loss_period p = { 7, 8, 9 };
	bool ok = loss_period_parse(&p, text, &why);

	must(ok == (why.len == 0));
	if (!ok)
		must(p.n == 7 && p.l == 8 && p.f == 9);
	else
		must(p.l >= 1 && p.f >= 1 && (!p.n || p.l <= p.n));
}

/* @text is as long as 4096 ranges can be. */
static void try_list(const char *data, size_t len)
{
	static char text[LOSS_RANGES_MAX * 42], again_text[sizeof(text)];
	struct loss_list *l = loss_list_parse(data, len, &why), *again;
	struct strbuf b;

	must(!l == (why.len > 0));
	if (!l)
		return;
	must(!loss_list_has(l, 0));
	strbuf_init(&b, text, sizeof(text));
	loss_list_print(&b, l);
	must(!b.cut && b.len > 0);
	again = loss_list_parse(text, b.len, &why);
	must(again);
	for (uint64_t i = 1; i < 100; i++)
		must(loss_list_has(l, i) == loss_list_has(again, i));
	strbuf_init(&b, again_text, sizeof(again_text));
	loss_list_print(&b, again);
	must(!strcmp(text, again_text));
	loss_list_free(again);
	loss_list_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int which = take(&in) % 3;
	char text[256];
	size_t len = size_min(in.left, sizeof(text) - 1);

	strbuf_init(&why, reason, sizeof(reason));
	if (which == 2) {
		try_list((const char *)in.p, in.left);
		return 0;
	}
	memcpy(text, in.p, len);
	text[len] = '\0';
	if (which == 0)
		try_gilbert(text);
	else
		try_period(text);
	return 0;
}
