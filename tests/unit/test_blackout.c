// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blackouts: schedules as text, and when nothing passes.
 */
#include "wirefilter/blackout.h"

#include <string.h>

#include "test.h"

#define MS UINT64_C(1000000)
#define NOW (1000000 * MS)

static struct blackout b[BLACKOUT_MAX];
static int n;
static char reason[256];

static bool parses(const char *text)
{
	struct strbuf why;

	strbuf_init(&why, reason, sizeof(reason));
	n = blackout_parse(b, text, NOW, &why);
	return n >= 0 && why.len == 0;
}

/* Refused with @why, and what was is still there. */
static bool refused(const char *text, const char *why)
{
	struct blackout was[BLACKOUT_MAX];

	memset(b, 0x5a, sizeof(b));
	memcpy(was, b, sizeof(b));
	if (!parses(text) && n == -1 && !memcmp(was, b, sizeof(b)) &&
	    !strcmp(reason, why))
		return true;
	printf("# '%s': %d %s\n", text, n, reason);
	return false;
}

static const char *printed(uint64_t now)
{
	static char text[2048];
	struct strbuf out;

	strbuf_init(&out, text, sizeof(text));
	blackout_print(&out, b, n, now);
	return out.cut ? "cut" : text;
}

static bool on(uint64_t ms)
{
	return blackout_is_on(b, n, NOW + ms * MS);
}

static void one_begins_and_ends_when_it_says(void)
{
	CHECK(parses("1000+500") && n == 1);
	CHECK(!blackout_is_on(b, n, 0) && !on(0));
	CHECK(!blackout_is_on(b, n, NOW + 1000 * MS - 1));
	CHECK(on(1000) && on(1499));
	CHECK(blackout_is_on(b, n, NOW + 1500 * MS - 1));
	CHECK(!on(1500) && !blackout_is_on(b, n, UINT64_MAX));
}

static void one_with_a_period_returns(void)
{
	CHECK(parses("20+50/10000") && n == 1);
	CHECK(!on(19) && on(20) && on(69) && !on(70) && !on(10019));
	CHECK(on(10020) && on(10069) && !on(10070));
	CHECK(on(1000000020) && !on(1000000070));
}

static void one_as_long_as_its_period_never_ends(void)
{
	CHECK(parses("5+10/10"));
	CHECK(!on(4));
	for (uint64_t ms = 5; ms < 100; ms++)
		CHECK(on(ms));
}

static void several_add_up(void)
{
	CHECK(parses("0+10,5+10/100, 200 + 1 ") && n == 3);
	CHECK(on(0) && on(9) && on(12) && !on(15) && on(105) && on(200));
	CHECK(on(205) && !on(201));
}

static void nought_is_none(void)
{
	CHECK(parses("0") && n == 0 && parses(" 0 ") && n == 0);
	CHECK(!on(0) && !strcmp(printed(NOW), "0"));
}

static void fractions_are_exact_to_the_nanosecond(void)
{
	CHECK(parses("0.1+.000001/1e3"));
	CHECK(b[0].from == NOW + 100000 && b[0].length == 1);
	CHECK(b[0].period == 1000 * MS);
	CHECK(parses("999999999.999999+1000000000/1e9"));
	CHECK(b[0].from == NOW + UINT64_C(999999999999999));
	CHECK(!strcmp(printed(NOW), "999999999.999999+1000000000/1000000000"));
}

static void what_is_wrong_is_named(void)
{
	CHECK(refused("", "'': the beginning is missing or not a number"));
	CHECK(refused("5", "'5': '+' and a length are missing"));
	CHECK(refused("5+", "'5+': the length is missing or not a number"));
	CHECK(refused("5+0", "'5+0': the length is not above 0"));
	CHECK(refused("5+1e-7", "'5+1e-7': the length is not above 0"));
	CHECK(refused("-5+3", "'-5+3': the beginning is negative"));
	CHECK(refused("5+-3", "'5+-3': the length is negative"));
	CHECK(refused("5+3/-9", "'5+3/-9': the period is negative"));
	CHECK(refused("5+3/2", "'5+3/2': the length is above the period"));
	CHECK(refused("5+3/0", "'5+3/0': the length is above the period"));
	CHECK(refused("5+3/", "'5+3/': the period is missing or not a number"));
	CHECK(refused("inf+3", "'inf+3': the beginning is missing or not a "
			       "number"));
	CHECK(refused("5+nan", "'5+nan': the length is missing or not a "
			       "number"));
	CHECK(refused("5+1e999", "'5+1e999': the length is above 1e9 ms"));
	CHECK(refused("1e10+1", "'1e10+1': the beginning is above 1e9 ms"));
	CHECK(refused("0x5+1", "'0x5+1': '+' and a length are missing"));
	CHECK(refused("1+2 3", "'1+2 3': something follows that is not "
			       "understood"));
	CHECK(refused("1+2[1]", "'1+2[1]': something follows that is not "
				"understood"));
}

static void the_one_that_is_wrong_is_named(void)
{
	CHECK(refused("1+2,3+x,4+5",
		      "'3+x': the length is missing or not a number"));
	CHECK(refused("1+2,", "'': the beginning is missing or not a number"));
	CHECK(refused("1+2,0", "'0': '+' and a length are missing"));
	CHECK(refused("1+2,,3+4",
		      "'': the beginning is missing or not a number"));
}

static void a_long_one_is_not_repeated_whole(void)
{
	char text[1000];

	memset(text, '1', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	CHECK(!parses(text) && strlen(reason) < 128 && strstr(reason, "...'"));
}

static void there_are_at_most_sixteen(void)
{
	char text[] = "0+1,1+1,2+1,3+1,4+1,5+1,6+1,7+1,"
		      "8+1,9+1,0+1,1+1,2+1,3+1,4+1,5+1,6+1";

	CHECK(refused(text, "'6+1': there are more than 16 blackouts"));
	text[sizeof(text) - 5] = '\0';
	CHECK(parses(text) && n == 16);
}

static void it_is_printed_as_it_was_written(void)
{
	static const char *const texts[] = { "1000+500", "0+50/10000",
					     "0.5+0.000001/20,7+8", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		CHECK(parses(texts[i]) && !strcmp(printed(NOW), texts[i]));
}

static void it_is_printed_from_the_view_of_now(void)
{
	CHECK(parses("1000+500,10+5/100"));
	CHECK(!strcmp(printed(NOW + 9 * MS), "991+500,1+5/100"));
	CHECK(!strcmp(printed(NOW + 10 * MS), "990+500,0+5/100"));
	CHECK(!strcmp(printed(NOW + 12 * MS), "988+500,0+3,98+5/100"));
	CHECK(!strcmp(printed(NOW + 1000 * MS), "0+500,10+5/100"));
	CHECK(!strcmp(printed(NOW + 1100 * MS), "0+400,10+5/100"));
	CHECK(!strcmp(printed(NOW + 1500 * MS), "10+5/100"));
	CHECK(parses("1+1") && !strcmp(printed(NOW + 2 * MS), "0"));
}

static void what_is_printed_lasts_as_long(void)
{
	static const char text[] = "3+4/17,40+9,5+2/11";
	struct blackout was[BLACKOUT_MAX];

	CHECK(parses(text) && n == 3);
	memcpy(was, b, sizeof(b));
	for (uint64_t from = 0; from < 60; from++) {
		struct blackout now[BLACKOUT_MAX];
		struct strbuf why;
		int m;

		memcpy(b, was, sizeof(b));
		n = 3;
		strbuf_init(&why, reason, sizeof(reason));
		m = blackout_parse(now, printed(NOW + from * MS), NOW, &why);
		CHECK(m >= 0);
		for (uint64_t ms = 0; ms < 100; ms++)
			CHECK(blackout_is_on(now, m, NOW + ms * MS) ==
			      on(from + ms));
	}
}

static void the_end_of_time_is_no_trouble(void)
{
	struct strbuf why;

	strbuf_init(&why, reason, sizeof(reason));
	n = blackout_parse(b, "1+1,2+1/1", UINT64_MAX - 5, &why);
	CHECK(n == 2 && b[0].from == UINT64_MAX && b[1].from == UINT64_MAX);
	CHECK(!blackout_is_on(b, n, UINT64_MAX - 1));
	CHECK(!strcmp(printed(UINT64_MAX), "0+1,0+1/1"));
}

int main(void)
{
	RUN(one_begins_and_ends_when_it_says);
	RUN(one_with_a_period_returns);
	RUN(one_as_long_as_its_period_never_ends);
	RUN(several_add_up);
	RUN(nought_is_none);
	RUN(fractions_are_exact_to_the_nanosecond);
	RUN(what_is_wrong_is_named);
	RUN(the_one_that_is_wrong_is_named);
	RUN(a_long_one_is_not_repeated_whole);
	RUN(there_are_at_most_sixteen);
	RUN(it_is_printed_as_it_was_written);
	RUN(it_is_printed_from_the_view_of_now);
	RUN(what_is_printed_lasts_as_long);
	RUN(the_end_of_time_is_no_trouble);
	DONE();
}
