// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The exposition format, in text and JSON, in one part and in many.
 */
#include "switch/metrics.h"

#include <math.h>
#include <string.h>

#include "../unit/test.h"
#include "base/strbuf.h"

static char text[1 << 20];
static struct strbuf out;
static struct writer writer;
static struct mgmt_req rq;

static void sink(void *ctx, const char *s, size_t n)
{
	strbuf_addn(&out, s, n);
}

static void begin(bool json)
{
	strbuf_init(&out, text, sizeof(text));
	writer_init(&writer, json, sink, NULL);
	writer_open(&writer, NULL);
	rq = (struct mgmt_req){ .w = &writer };
}

/* Returns how many parts it took. */
static int write_all(const struct metric_set *set)
{
	const struct metric_set *const sets[] = { set };
	int parts = 1;

	while (metrics_write(&rq, NULL, sets, 1) == MGMT_MORE) {
		rq.again = true;
		rq.part_at = writer.written;
		parts++;
	}
	writer_close(&writer);
	return parts;
}

static void plain(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_value(m, UINT64_MAX);
}

static uint64_t three(const struct vswitch *sw, uint64_t from)
{
	return from < 3 ? from : METRIC_END;
}

static void ports(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	if (item == 1)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		metrics_label_num(m, "port", (unsigned int)item);
		metrics_label(m, "way", i ? "out" : "in");
		metrics_value(m, 10 * item + i);
	}
}

static const struct metric two_rows[] = {
	{ "frames_total", METRIC_COUNTER, "all of\nthem, \"\\\"", NULL, plain,
	  0 },
	{ "queue", METRIC_GAUGE, "frames", three, ports, 0 },
};
static const struct metric_set two = { two_rows, ARRAY_SIZE(two_rows) };

static void text_is_the_exposition_format(void)
{
	begin(false);
	CHECK(write_all(&two) == 1);
	CHECK(!strcmp(text, "# HELP vde_switch_frames_total all of\\nthem, "
			    "\"\\\\\"\n"
			    "# TYPE vde_switch_frames_total counter\n"
			    "vde_switch_frames_total 18446744073709551615\n"
			    "# HELP vde_switch_queue frames\n"
			    "# TYPE vde_switch_queue gauge\n"
			    "vde_switch_queue{port=\"0\",way=\"in\"} 0\n"
			    "vde_switch_queue{port=\"0\",way=\"out\"} 1\n"
			    "vde_switch_queue{port=\"2\",way=\"in\"} 20\n"
			    "vde_switch_queue{port=\"2\",way=\"out\"} 21\n"));
}

static const struct metric one_row[] = {
	{ "queue", METRIC_GAUGE, "frames", three, ports, 0 },
};
static const struct metric_set one = { one_row, 1 };

static void json_has_the_same(void)
{
	begin(true);
	CHECK(write_all(&one) == 1);
	CHECK(!strcmp(
		text,
		"{\"metrics\":[{\"name\":\"vde_switch_queue\",\"type\":"
		"\"gauge\","
		"\"help\":\"frames\",\"samples\":["
		"{\"labels\":{\"port\":\"0\",\"way\":\"in\"},\"value\":0},"
		"{\"labels\":{\"port\":\"0\",\"way\":\"out\"},\"value\":1},"
		"{\"labels\":{\"port\":\"2\",\"way\":\"in\"},\"value\":20},"
		"{\"labels\":{\"port\":\"2\",\"way\":\"out\"},\"value\":21}"
		"]}]}"));
}

static const char *label_text;

static void labelled(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_label(m, "l", label_text);
	metrics_value(m, 1);
}

static const struct metric label_row[] = {
	{ "x", METRIC_GAUGE, "h", NULL, labelled, 0 },
};
static const struct metric_set label = { label_row, 1 };

/* What the label becomes. */
static const char *becomes(const char *in)
{
	char *s, *end;

	label_text = in;
	begin(false);
	write_all(&label);
	s = strstr(text, "{l=\"");
	end = s ? strstr(s, "\"} 1\n") : NULL;
	CHECK(end && end[5] == '\0');
	if (!end)
		return "";
	*end = '\0';
	return s + 4;
}

static void labels_are_escaped(void)
{
	char longest[400], wanted[801];

	CHECK(!strcmp(becomes(""), ""));
	CHECK(!strcmp(becomes("plain {a=1} # b"), "plain {a=1} # b"));
	CHECK(!strcmp(becomes("a\"b\\c\nd"), "a\\\"b\\\\c\\nd"));
	CHECK(!strcmp(becomes("\t\x7f\x01"), "???"));
	CHECK(!strcmp(becomes("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f"));
	CHECK(!strcmp(becomes("\xff\xc3"), "??"));
	memset(longest, '"', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i + 1 < sizeof(longest); i++)
		memcpy(wanted + 2 * i, "\\\"", 3);
	CHECK(!strcmp(becomes(longest), wanted));
}

/* However far from the start of the text a character of many bytes is. */
static void long_text_is_cut_nowhere(void)
{
	char in[300];

	for (size_t shift = 0; shift < 80; shift++) {
		memset(in, 'a', shift);
		in[shift] = '\0';
		for (size_t at = shift; at + 4 < sizeof(in); at += 4)
			memcpy(in + at, "\xf0\x9f\x90\xa7", 5);
		CHECK(!strcmp(becomes(in), in));
	}
}

static uint64_t fourths(const struct vswitch *sw, uint64_t from)
{
	from += -from % 4;
	return from < 20000 ? from : METRIC_END;
}

static void numbered(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	CHECK(item % 4 == 0);
	metrics_label_num(m, "item", (unsigned int)item);
	metrics_value(m, item);
}

static void nothing(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
}

static void reals(struct metrics *m, const struct vswitch *sw, uint64_t item)
{
	metrics_real(m, item ? (double)NAN : 0.1);
}

static const struct metric real_row[] = {
	{ "r", METRIC_GAUGE, "h", three, reals, 0 },
};
static const struct metric_set real = { real_row, 1 };

static void a_real_number_may_be_none(void)
{
	begin(false);
	write_all(&real);
	CHECK(!strcmp(text, "# HELP vde_switch_r h\n"
			    "# TYPE vde_switch_r gauge\n"
			    "vde_switch_r 0.1\n"
			    "vde_switch_r NaN\nvde_switch_r NaN\n"));
	begin(true);
	write_all(&real);
	CHECK(strstr(text, "[{\"value\":0.1},{\"value\":null},"
			   "{\"value\":null}]") != NULL);
}

static const struct metric many_rows[] = {
	{ "a", METRIC_GAUGE, "h", fourths, numbered, 0 },
	{ "b", METRIC_GAUGE, "h", fourths, nothing, 0 },
	{ "c", METRIC_GAUGE, "h", NULL, plain, 0 },
};
static const struct metric_set much = { many_rows, ARRAY_SIZE(many_rows) };

static void what_is_long_comes_in_parts(void)
{
	const char *s = text;
	char line[64];
	int parts;

	begin(false);
	parts = write_all(&much);
	CHECK(parts >= 20 && !out.cut);
	s = strchr(strchr(s, '\n') + 1, '\n') + 1;
	for (unsigned int i = 0; i < 20000; i += 4) {
		size_t n = (size_t)str_fmt(line, sizeof(line),
					   "vde_switch_a{item=\"%u\"} %u\n", i,
					   i);

		CHECK(!strncmp(s, line, n));
		s += n;
	}
	CHECK(!strncmp(s, "# HELP vde_switch_b h\n", 22));
	CHECK(strstr(s, "vde_switch_c 18446744073709551615\n"));
}

int main(void)
{
	RUN(text_is_the_exposition_format);
	RUN(json_has_the_same);
	RUN(labels_are_escaped);
	RUN(long_text_is_cut_nowhere);
	RUN(a_real_number_may_be_none);
	RUN(what_is_long_comes_in_parts);
	DONE();
}
