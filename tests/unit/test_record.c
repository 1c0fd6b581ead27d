// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decisions as text: what is printed is read again, to the last bit and
 * however it is cut into pieces, and what is wrong is said with its line.
 */
#include "wirefilter/record.h"

#include <string.h>

#include "../unit/test.h"
#include "base/rng.h"

#define FIRST "# vde wirefilter decisions 1\n"

static struct record_reader r;
static char text[1 << 16];
static struct strbuf out;

static void begin_text(void)
{
	strbuf_init(&out, text, sizeof(text));
}

/* Reads @s in pieces of @piece bytes, until what is not RECORD_MORE. */
static const char *rest;

static enum record_got next(size_t piece)
{
	static char *copy;
	enum record_got got;

	while ((got = record_next(&r)) == RECORD_MORE) {
		size_t n = size_min(piece, strlen(rest));

		free(copy);
		copy = malloc(n + 1);
		memcpy(copy, rest, n);
		record_give(&r, copy, n);
		rest += n;
		if (!*rest)
			record_finish(&r);
	}
	return got;
}

static void start(const char *s)
{
	record_reader_init(&r);
	rest = s;
}

/* How the whole of @s ends. */
static enum record_got read_all(const char *s)
{
	enum record_got got;

	start(s);
	while ((got = next(SIZE_MAX)) == RECORD_DECISION)
		continue;
	return got;
}

static bool fails(const char *s, const char *why)
{
	if (read_all(s) != RECORD_ERROR)
		return false;
	if (strstr(record_error(&r), why) == record_error(&r))
		return true;
	printf("# %s\n", record_error(&r));
	return false;
}

/* ---- both ways ---- */

static void a_record_looks_as_the_page_says(void)
{
	struct record_printer pr = { 0 };
	struct impair_decision d = { .number = 1,
				     .arrived = 2200450,
				     .delay = 10000000 };

	begin_text();
	record_begin(&out, 42);
	record_decision(&out, &pr, 0, &d, 1000000);
	d = (struct impair_decision){ .number = 2,
				      .copy = 3,
				      .arrived = 999,
				      .fate = IMPAIR_LOSS,
				      .delay = 7,
				      .flips = { 1, 1, 1, 1 } };
	record_decision(&out, &pr, 1, &d, 1000000);
	d.fate = IMPAIR_PASS;
	d.flips = (struct impair_flips){ UINT64_MAX, 500, 0.01, 1e-7 };
	record_decision(&out, &pr, 1, &d, 0);
	d.flips.seed = 0;
	record_decision(&out, &pr, 1, &d, 0);
	d.flips = (struct impair_flips){ 5, 0, 0.1, 0 };
	record_decision(&out, &pr, 0, &d, 0);
	record_end(&out);
	CHECK(!strcmp(text,
		      FIRST "seed 42\n"
			    "LR 1 0 1200450 pass 10000000\n"
			    "RL 2 3 0 loss 0\n"
			    "RL 2 3 999 pass 7 18446744073709551615 500 0.01 "
			    "1e-07\n"
			    "RL 2 3 999 pass 7 0 500 0.01 1e-07\n"
			    "LR 2 3 999 pass 7 5 0 0.1 0\n"
			    "end\n"));
}

static double any_fraction(struct rng *rng, double max)
{
	switch (rng_u64(rng) % 4) {
	case 0:
		return 0;
	case 1:
		return (double)(rng_u64(rng) % 1000) / 1000 * max;
	case 2:
		return rng_unit(rng) * 1e-300;
	default:
		return rng_unit(rng) * max;
	}
}

static uint64_t any_number(struct rng *rng)
{
	return rng_u64(rng) >> rng_u64(rng) % 64;
}

static void any_decision(struct rng *rng, struct impair_decision *d)
{
	*d = (struct impair_decision){ 0 };
	d->number = 1 + any_number(rng) % RECORD_NUMBER_MAX;
	d->copy = (unsigned int)(rng_u64(rng) % (RECORD_COPY_MAX + 1));
	d->fate = (enum impair_fate)(rng_u64(rng) % IMPAIR_N_FATES);
	d->arrived = any_number(rng);
	if (d->fate != IMPAIR_PASS)
		return;
	d->delay = any_number(rng);
	if (rng_u64(rng) % 2)
		return;
	d->flips.seed = any_number(rng);
	d->flips.noise = any_fraction(rng, 1e6);
	d->flips.corrupt = any_fraction(rng, 1);
	d->flips.ber = 0.5 + any_fraction(rng, 0.5);
}

static bool same(const struct impair_decision *a,
		 const struct impair_decision *b)
{
	return a->number == b->number && a->copy == b->copy &&
	       a->fate == b->fate && a->arrived == b->arrived &&
	       a->delay == b->delay && a->flips.seed == b->flips.seed &&
	       !memcmp(&a->flips, &b->flips, sizeof(a->flips));
}

static void what_is_printed_is_read_to_the_last_bit_in_any_pieces(void)
{
	static struct impair_decision d[300];
	struct record_printer pr = { 0 };
	struct rng rng;
	bool ok = true;

	rng_stream(&rng, 1, 2, 3);
	begin_text();
	record_begin(&out, UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(d); i++) {
		any_decision(&rng, &d[i]);
		record_decision(&out, &pr, i % 3 == 0, &d[i], 0);
	}
	record_end(&out);
	CHECK(!out.cut);
	for (size_t piece = 1; piece < 5000; piece += piece < 70 ? 1 : 999) {
		start(text);
		for (size_t i = 0; i < ARRAY_SIZE(d) && ok; i++)
			ok = next(piece) == RECORD_DECISION &&
			     same(&r.decision, &d[i]) &&
			     r.direction == (i % 3 == 0);
		CHECK(ok && next(piece) == RECORD_OVER);
		CHECK(r.has_seed && r.seed == UINT64_MAX && r.complete);
		CHECK(record_next(&r) == RECORD_OVER);
	}
}

/* ---- what is read ---- */

static void comments_blanks_and_missing_ends_are_fine(void)
{
	start(FIRST "\n  \n# seed 1\n\tLR\t 7  1 5 mtu  0 \r\n"
		    "RL 1 0 0 pass 9 1 0 0 0.5");
	CHECK(next(SIZE_MAX) == RECORD_DECISION && r.direction == 0);
	CHECK(r.decision.number == 7 && r.decision.copy == 1);
	CHECK(r.decision.fate == IMPAIR_MTU && r.line == 5);
	CHECK(next(SIZE_MAX) == RECORD_DECISION && r.direction == 1);
	CHECK(r.decision.flips.seed == 1 && r.decision.flips.ber > 0.4);
	CHECK(next(SIZE_MAX) == RECORD_OVER);
	CHECK(!r.has_seed && !r.complete);
	CHECK(read_all(FIRST) == RECORD_OVER && !r.complete);
	CHECK(read_all(FIRST "end\n\n# more\n") == RECORD_OVER && r.complete);
}

static void another_file_is_none(void)
{
	CHECK(fails("", "line 1: is not '# vde wirefilter decisions 1'"));
	CHECK(fails("LR 1 0 0 pass 0\n", "line 1: is not"));
	CHECK(fails("# vde wirefilter decisions 2\n", "line 1: is not"));
	CHECK(fails("\n" FIRST, "line 1: is not"));
}

static void what_is_wrong_is_said_with_its_line(void)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{ "AB 1 0 0 pass 0", "'AB' is none of LR, RL, seed, end" },
		{ "lr 1 0 0 pass 0", "'lr' is none of" },
		{ "LR", "there are too few fields" },
		{ "LR 1 0 0 pass", "there are too few fields" },
		{ "LR 0 0 0 pass 0", "frames are counted from 1" },
		{ "LR -1 0 0 pass 0", "'-1' is no number of a frame" },
		{ "LR 1.5 0 0 pass 0", "'1.5' is no number of a frame" },
		{ "LR 281474976710656 0 0 pass 0", "'281474976710656' is no" },
		{ "LR 1 65536 0 pass 0", "'65536' is no number of a copy" },
		{ "LR 1 0 18446744073709551616 pass 0", "'18446744073709551" },
		{ "LR 1 0 x pass 0", "'x' is no time in nanoseconds" },
		{ "LR 1 0 0 lost 0", "'lost' is no fate" },
		{ "LR 1 0 0 pass 1e3", "'1e3' is no delay in nanoseconds" },
		{ "LR 1 0 0 pass 0 1", "there are too few fields" },
		{ "LR 1 0 0 pass 0 1 nan 0 0", "'nan' is no noise" },
		{ "LR 1 0 0 pass 0 1 1e999 0 0", "'1e999' is no noise" },
		{ "LR 1 0 0 pass 0 1 -1 0 0", "'-1' is no noise" },
		{ "LR 1 0 0 pass 0 1 0 1.1 0", "'1.1' is no probability" },
		{ "LR 1 0 0 pass 0 1 0 0 2", "'2' is no probability" },
		{ "LR 1 0 0 pass 0 1 0 0 0 0", "there are too many fields" },
		{ "seed", "there are too few fields" },
		{ "seed x", "'x' is no seed" },
		{ "seed 1 2", "there are too many fields" },
		{ "seed 1\nseed 1", "there is a seed already" },
		{ "end 1", "there are too many fields" },
		{ "end\nLR 1 0 0 pass 0", "'LR' is behind the end" },
		{ "end\nend", "'end' is behind the end" },
	};
	char s[400], why[200];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int line = strchr(bad[i].line, '\n') ? 5 : 4;

		str_fmt(s, sizeof(s), FIRST "#\n\n%s\nLR 1 0 0 pass 0\n",
			bad[i].line);
		str_fmt(why, sizeof(why), "line %d: %s", line, bad[i].why);
		CHECK(fails(s, why));
		CHECK(record_next(&r) == RECORD_ERROR);
	}
}

static void long_lines_and_odd_bytes_do_no_harm(void)
{
	static const char nul[] = FIRST "LR 1 0 0 pass 0\0\n";
	char s[600];

	memset(s, ' ', sizeof(s));
	memcpy(s, FIRST, sizeof(FIRST) - 1);
	memcpy(s + sizeof(FIRST) - 1 + RECORD_LINE, "\n", 2);
	CHECK(read_all(s) == RECORD_OVER);
	memcpy(s + sizeof(FIRST) - 1 + RECORD_LINE, "\r\n", 3);
	CHECK(read_all(s) == RECORD_OVER);
	memcpy(s + sizeof(FIRST) - 1 + RECORD_LINE, " \n", 3);
	CHECK(fails(s, "line 2: is too long"));
	CHECK(fails(FIRST "\x1b[31m\xff\n", "line 2: '?[31m?' is none"));
	record_reader_init(&r);
	record_give(&r, nul, sizeof(nul) - 1);
	CHECK(record_next(&r) == RECORD_ERROR);
	CHECK(!strcmp(record_error(&r), "line 2: has a byte of 0"));
	memset(s, 'x', sizeof(s));
	record_reader_init(&r);
	record_give(&r, s, RECORD_LINE + 1);
	CHECK(record_next(&r) == RECORD_MORE);
	record_give(&r, s, 1);
	CHECK(record_next(&r) == RECORD_ERROR);
	CHECK(!strcmp(record_error(&r), "line 1: is too long"));
}

int main(void)
{
	RUN(a_record_looks_as_the_page_says);
	RUN(what_is_printed_is_read_to_the_last_bit_in_any_pieces);
	RUN(comments_blanks_and_missing_ends_are_fine);
	RUN(another_file_is_none);
	RUN(what_is_wrong_is_said_with_its_line);
	RUN(long_lines_and_odd_bytes_do_no_harm);
	DONE();
}
