// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traces, however they are cut into pieces: what is in them, what is wrong
 * with them, and real ones if they are there.
 */
#include "wirefilter/trace.h"

#include <string.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/rng.h"

#define MS UINT64_C(1000000)

static struct trace t;
static struct trace_point points[64];
static size_t n_points;

/* Reads @text in pieces of @piece bytes, which are overwritten when they have
 * been read. Returns how it ends. */
static enum trace_got read_pieces(enum trace_format f, const char *text,
				  size_t len, size_t piece)
{
	enum trace_got got;
	char *copy = NULL;
	size_t at = 0;

	trace_init(&t, f);
	n_points = 0;
	for (;;) {
		got = trace_next(&t, &points[n_points]);
		if (got == TRACE_POINT && n_points < ARRAY_SIZE(points) - 1)
			n_points++;
		if (got == TRACE_POINT)
			continue;
		free(copy);
		copy = NULL;
		if (got != TRACE_MORE)
			return got;
		if (at < len) {
			size_t n = size_min(piece, len - at);

			copy = malloc(n);
			memcpy(copy, text + at, n);
			trace_give(&t, copy, n);
			at += n;
		} else {
			trace_finish(&t);
		}
	}
}

static enum trace_got read_all(enum trace_format f, const char *text)
{
	return read_pieces(f, text, strlen(text), SIZE_MAX);
}

/* ---- Mahimahi ---- */

static void opportunities_come_out_in_nanoseconds(void)
{
	CHECK(read_all(TRACE_MAHIMAHI, "0\n3\n3\n4611\n") == TRACE_END);
	CHECK(n_points == 4 && t.points == 4);
	CHECK(points[0].time == 0 && points[1].time == 3 * MS);
	CHECK(points[2].time == 3 * MS && points[3].time == 4611 * MS);
	CHECK(points[3].has == 0);
	CHECK(trace_next(&t, &points[0]) == TRACE_END);
}

static void the_last_line_need_not_end(void)
{
	CHECK(read_all(TRACE_MAHIMAHI, "7") == TRACE_END && n_points == 1);
	CHECK(read_all(TRACE_MAHIMAHI, "7\r\n8\r\n9") == TRACE_END);
	CHECK(n_points == 3 && points[2].time == 9 * MS);
}

static void a_trace_repeats_from_its_last_point_on(void)
{
	static const char text[] = "5\n8\n20\n";
	static const uint64_t ms[] = { 5, 8, 20, 25, 28, 40, 45, 48, 60 };
	struct trace_point pt;

	trace_init(&t, TRACE_MAHIMAHI);
	for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
		if (i % 3 == 0) {
			CHECK(!i || trace_repeat(&t));
			CHECK(trace_next(&t, &pt) == TRACE_MORE);
			trace_give(&t, text, strlen(text));
			trace_finish(&t);
		}
		CHECK(trace_next(&t, &pt) == TRACE_POINT);
		CHECK(pt.time == ms[i] * MS);
		CHECK(t.line == i % 3 + 1);
		/* In the middle it cannot. */
		if (i % 3 == 2)
			CHECK(trace_next(&t, &pt) == TRACE_END);
		else
			CHECK(!trace_repeat(&t));
	}
}

static void no_time_is_not_repeated(void)
{
	CHECK(read_all(TRACE_MAHIMAHI, "0\n0\n") == TRACE_END);
	CHECK(!trace_repeat(&t) && trace_next(&t, &points[0]) == TRACE_ERROR);
	CHECK(!strcmp(trace_error(&t),
		      "line 2: the trace lasts no time: no repeating"));
}

/* ---- CSV ---- */

static void values_come_out_in_their_units(void)
{
	CHECK(read_all(TRACE_CSV, "0,125000,10,0\n"
				  "1500.25,0.5,0.000001,12.5\n"
				  "1500.25,,,\n"
				  "2000,12500000000,,100\n") == TRACE_END);
	CHECK(n_points == 4);
	CHECK(points[0].time == 0 && points[0].rate == UINT64_C(125000000000));
	CHECK(points[0].delay == 10 * MS && points[0].loss == 0);
	CHECK(points[0].has ==
	      (1 << TRACE_RATE | 1 << TRACE_DELAY | 1 << TRACE_LOSS));
	CHECK(points[1].time == UINT64_C(1500250000));
	CHECK(points[1].rate == 500000 && points[1].delay == 1);
	CHECK(points[1].loss == 0.125);
	CHECK(points[2].has == 0 && points[2].time == points[1].time);
	CHECK(points[3].has == (1 << TRACE_RATE | 1 << TRACE_LOSS));
	CHECK(points[3].rate == UINT64_C(12500000000000000));
	CHECK(points[3].loss == 1);
}

static void a_first_line_names_the_columns(void)
{
	CHECK(read_all(TRACE_CSV, "# made by hand\n"
				  "\n"
				  " loss ,\ttime\n"
				  "  # indented\n"
				  " 2 , 1 \n"
				  "   \t\n"
				  ",3\r\n") == TRACE_END);
	CHECK(n_points == 2);
	CHECK(points[0].has == 1 << TRACE_LOSS && points[0].loss == 0.02);
	CHECK(points[0].time == MS);
	CHECK(points[1].has == 0 && points[1].time == 3 * MS);
}

static void columns_are_known_anew_when_a_trace_repeats(void)
{
	struct trace_point pt;

	CHECK(read_all(TRACE_CSV, "time,loss\n5,1\n") == TRACE_END);
	CHECK(trace_repeat(&t) && trace_next(&t, &pt) == TRACE_MORE);
	trace_give(&t, "time,delay\n2,1\n", 15);
	trace_finish(&t);
	CHECK(trace_next(&t, &pt) == TRACE_POINT && pt.time == 7 * MS);
	CHECK(pt.has == 1 << TRACE_DELAY && pt.delay == MS);
	CHECK(trace_next(&t, &pt) == TRACE_END);
}

/* ---- errors ---- */

static const struct {
	enum trace_format format;
	const char *text, *error;
	size_t points; /* before it */
} wrong[] = {
	{ TRACE_MAHIMAHI, "", "line 1: the trace ends without a point", 0 },
	{ TRACE_MAHIMAHI, "1\n2\n\n3\n", "line 3: is empty", 2 },
	{ TRACE_MAHIMAHI, "1\n3\n2\n",
	  "line 3: '2' is before the time of the last line", 2 },
	{ TRACE_MAHIMAHI, "1\n2x\n",
	  "line 2: '2x' is no number of milliseconds", 1 },
	{ TRACE_MAHIMAHI, "-1\n", "line 1: '-1' is no number of milliseconds",
	  0 },
	{ TRACE_MAHIMAHI, "1.5\n", "line 1: '1.5' is no number of milliseconds",
	  0 },
	{ TRACE_MAHIMAHI, " 1\n", "line 1: ' 1' is no number of milliseconds",
	  0 },
	{ TRACE_MAHIMAHI, "+1\n", "line 1: '+1' is no number of milliseconds",
	  0 },
	{ TRACE_MAHIMAHI, "99999999999999999999\n",
	  "line 1: '99999999999999999999' is no number of milliseconds", 0 },
	{ TRACE_MAHIMAHI, "9223372036854\n9223372036855\n",
	  "line 2: '9223372036855' is too late", 1 },
	{ TRACE_MAHIMAHI, "18446744073709\n",
	  "line 1: '18446744073709' is too late", 0 },
	{ TRACE_MAHIMAHI, "\x01\x80'\t12345678901234567890123456789\n",
	  "line 1: '\?\?'\?1234567890123456789012345678...' "
	  "is no number of milliseconds",
	  0 },
	{ TRACE_CSV, "# nothing\n\n", "line 2: the trace ends without a point",
	  0 },
	{ TRACE_CSV, "time,rate\n", "line 1: the trace ends without a point",
	  0 },
	{ TRACE_CSV, "time,jitter\n",
	  "line 1: 'jitter' is none of time, rate, delay, loss", 0 },
	{ TRACE_CSV, "time,\n", "line 1: '' is none of time, rate, delay, loss",
	  0 },
	{ TRACE_CSV, "\xef\xbb\xbftime,loss\n",
	  "line 1: '\?\?\?time' is none of time, rate, delay, loss", 0 },
	{ TRACE_CSV, "rate,time,rate\n", "line 1: 'rate' is there twice", 0 },
	{ TRACE_CSV, "rate,loss\n", "line 1: there is no column time", 0 },
	{ TRACE_CSV, "time\n1\n", "line 1: there is nothing but the time", 0 },
	{ TRACE_CSV, "5\n", "line 1: a time and one to three values are needed",
	  0 },
	{ TRACE_CSV, "1,2,3,4,5\n",
	  "line 1: a time and one to three values are needed", 0 },
	{ TRACE_CSV, "1,2\n3,4,5\n", "line 2: there are too many fields", 1 },
	{ TRACE_CSV, "1,2\n3,\n4\n", "line 3: there are too few fields", 2 },
	{ TRACE_CSV, "1,2\n,4\n",
	  "line 2: '' is no time: digits, at most 6 of them behind a point",
	  1 },
	{ TRACE_CSV, "1,-2\n",
	  "line 1: '-2' is no rate: digits, at most 6 of them behind a point",
	  0 },
	{ TRACE_CSV, "1,2\n1,nan\n",
	  "line 2: 'nan' is no rate: digits, at most 6 of them behind a point",
	  1 },
	{ TRACE_CSV, "1,1e6\n",
	  "line 1: '1e6' is no rate: digits, at most 6 of them behind a point",
	  0 },
	{ TRACE_CSV, "1,1.\n",
	  "line 1: '1.' is no rate: digits, at most 6 of them behind a point",
	  0 },
	{ TRACE_CSV, "1,.\n",
	  "line 1: '.' is no rate: digits, at most 6 of them behind a point",
	  0 },
	{ TRACE_CSV, "1,1.2.3\n",
	  "line 1: '1.2.3' is no rate: "
	  "digits, at most 6 of them behind a point",
	  0 },
	{ TRACE_CSV, "1.1234567,1\n",
	  "line 1: '1.1234567' is no time: "
	  "digits, at most 6 of them behind a point",
	  0 },
	{ TRACE_CSV, "1,1000000000001\n",
	  "line 1: '1000000000001' is too high for a rate", 0 },
	{ TRACE_CSV, "time,loss\n1,100.0000001\n",
	  "line 2: '100.0000001' is too high for a loss", 0 },
	{ TRACE_CSV, "time,delay\n1,18446744073709\n",
	  "line 2: '18446744073709' is too high for a delay", 0 },
	{ TRACE_CSV, "1,1\n0.999999,1\n",
	  "line 2: '0.999999' is before the time of the last line", 1 },
};

static void what_is_wrong_is_said_with_its_line(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		size_t len = strlen(wrong[i].text);

		/* In one piece, and in all others. */
		for (size_t piece = len + 1; piece; piece--) {
			bool as = read_pieces(wrong[i].format, wrong[i].text,
					      len, piece) == TRACE_ERROR &&
				  !strcmp(trace_error(&t), wrong[i].error) &&
				  n_points == wrong[i].points;

			CHECK(as);
			if (as)
				continue;
			printf("# %s instead of %s\n", trace_error(&t),
			       wrong[i].error);
			break;
		}
		CHECK(trace_next(&t, &points[0]) == TRACE_ERROR);
		CHECK(!trace_repeat(&t));
	}
}

/* The last of @n digits is the first byte of @end. */
static void end_with(char *text, size_t n, const char *end)
{
	memcpy(text + n - 1, end, strlen(end) + 1);
}

static void the_longest_line_passes_and_one_more_byte_does_not(void)
{
	char text[TRACE_LINE + 8];

	for (size_t piece = 1; piece < 300; piece += 7) {
		/* Zeros in front of a 5. */
		memset(text, '0', sizeof(text));
		end_with(text, TRACE_LINE, "5\r\n");
		CHECK(read_pieces(TRACE_MAHIMAHI, text, strlen(text), piece) ==
		      TRACE_END);
		CHECK(n_points == 1 && points[0].time == 5 * MS);
		memset(text, '0', sizeof(text));
		end_with(text, TRACE_LINE + 1, "5\n");
		CHECK(read_pieces(TRACE_MAHIMAHI, text, strlen(text), piece) ==
		      TRACE_ERROR);
		CHECK(!strcmp(trace_error(&t), "line 1: is too long"));
		/* What is cut off does not count as the end of a line. */
		memset(text, '0', sizeof(text));
		text[TRACE_LINE] = '\r';
		end_with(text, TRACE_LINE + 3, "5\n");
		CHECK(read_pieces(TRACE_MAHIMAHI, text, strlen(text), piece) ==
		      TRACE_ERROR);
		CHECK(!strcmp(trace_error(&t), "line 1: is too long"));
	}
}

/* A file may be gigabytes of that. */
static void a_line_without_end_is_an_error_at_once(void)
{
	static char junk[TRACE_LINE + 2];
	struct trace_point pt;

	memset(junk, '1', sizeof(junk));
	trace_init(&t, TRACE_CSV);
	trace_give(&t, junk, sizeof(junk) - 1);
	CHECK(trace_next(&t, &pt) == TRACE_MORE);
	trace_give(&t, junk, 1);
	CHECK(trace_next(&t, &pt) == TRACE_ERROR);
	CHECK(!strcmp(trace_error(&t), "line 1: is too long"));
}

static void a_nul_byte_is_no_end(void)
{
	CHECK(read_pieces(TRACE_MAHIMAHI, "1\0\n2\n", 5, 2) == TRACE_ERROR);
	CHECK(!strcmp(trace_error(&t),
		      "line 1: '1?' is no number of milliseconds"));
}

/* ---- a long one, and real ones ---- */

/* As a program would read a file: a buffer at a time. */
static bool read_file(FILE *f, uint64_t *count, uint64_t *last)
{
	static char buf[4096];
	struct trace_point pt;
	enum trace_got got;
	size_t n;

	trace_init(&t, TRACE_MAHIMAHI);
	*count = *last = 0;
	while ((got = trace_next(&t, &pt)) != TRACE_END) {
		if (got == TRACE_ERROR) {
			printf("# %s\n", trace_error(&t));
			return false;
		}
		if (got == TRACE_POINT) {
			++*count;
			*last = pt.time;
			continue;
		}
		n = fread(buf, 1, sizeof(buf), f);
		trace_give(&t, buf, n);
		if (!n)
			trace_finish(&t);
	}
	return true;
}

static void any_pieces_make_the_same_trace(void)
{
	static char text[20000];
	uint64_t times[2000], now = 0;
	struct trace_point pt;
	enum trace_got got;
	size_t len = 0, at = 0, seen = 0;
	struct rng rng;

	rng_init(&rng, 11);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		now += rng_below(&rng, 5);
		times[i] = now * MS;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u\n",
					(unsigned int)now);
	}
	trace_init(&t, TRACE_MAHIMAHI);
	while ((got = trace_next(&t, &pt)) != TRACE_END) {
		size_t n = (size_t)rng_below(&rng, 30);

		CHECK(got == TRACE_POINT || got == TRACE_MORE);
		if (got == TRACE_POINT) {
			CHECK(pt.time == times[seen++]);
			continue;
		}
		n = size_min(n, len - at);
		trace_give(&t, text + at, n);
		at += n;
		if (at == len)
			trace_finish(&t);
	}
	CHECK(seen == ARRAY_SIZE(times));
}

/* Traces beside the repository: lines, and the time of the last. */
static const struct {
	const char *path;
	uint64_t lines, last_ms;
} real[] = {
	{ "../shared/data/Verizon-LTE-short.up", 69367, 140000 },
	{ "../shared/data/Verizon-LTE-short.down", 58655, 140000 },
	{ "../shared/data/TMobile-UMTS-driving.up", 73197, 931233 },
};

static void real_traces_are_read_to_their_end(void)
{
	uint64_t count, last;

	for (size_t i = 0; i < ARRAY_SIZE(real); i++) {
		FILE *f = fopen(real[i].path, "r");

		CHECK(f);
		if (!f)
			continue;
		CHECK(read_file(f, &count, &last));
		fclose(f);
		CHECK(count == real[i].lines);
		CHECK(last == real[i].last_ms * MS);
	}
}

int main(void)
{
	RUN(opportunities_come_out_in_nanoseconds);
	RUN(the_last_line_need_not_end);
	RUN(a_trace_repeats_from_its_last_point_on);
	RUN(no_time_is_not_repeated);
	RUN(values_come_out_in_their_units);
	RUN(a_first_line_names_the_columns);
	RUN(columns_are_known_anew_when_a_trace_repeats);
	RUN(what_is_wrong_is_said_with_its_line);
	RUN(the_longest_line_passes_and_one_more_byte_does_not);
	RUN(a_line_without_end_is_an_error_at_once);
	RUN(a_nul_byte_is_no_end);
	RUN(any_pieces_make_the_same_trace);
	if (!access(real[0].path, R_OK))
		RUN(real_traces_are_read_to_their_end);
	else
		printf("# skip: there is no %s\n", real[0].path);
	DONE();
}
