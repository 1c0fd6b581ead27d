/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files with distributions. A refusal says why; what is taken has a mean and a
 * deviation, and each draw lies between the ends of the file.
 */
#include <math.h>
#include <string.h>

#include "input.h"
#include "wirefilter/dist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_draws(const struct dist_table *t)
{
	struct value v = { dist_table_mean(t), dist_table_deviation(t), 0,
			   VALUE_TABLE, "" };
	struct dist_state st = { 0 };
	struct rng rng;
	struct dist d;

	must(isfinite(v.num) && fabs(v.num) <= 1e15);
	must(isfinite(v.plus) && v.plus > 0 && v.plus <= 1e15);
	must(dist_set(&d, &v, t) == 0);
	rng_init(&rng, 1);
	for (int i = 0; i < 16; i++)
		must(fabs(dist_draw(&d, &st, &rng)) <= 1.001e15);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dist_table *t;
	char reason[128];
	struct strbuf why;

	strbuf_init(&why, reason, sizeof(reason));
	t = dist_table_parse((const char *)data, size, &why);
	must(!t == (why.len > 0));
	if (t)
		check_draws(t);
	dist_table_free(t);
	return 0;
}
