// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Classes of frames: commands and options make them, frames find theirs, the
 * wire treats them so. The clock is the test's own.
 */
#include "wirefilter/classes.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"
#include "wirefilter/cmd.h"
#include "wirefilter/sorter.h"

#define MS UINT64_C(1000000)

/* TCP from port 80 to 443, and UDP. */
static const uint8_t tcp[60] =
	"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
	"\x45\0\0\x28\0\0\0\0\x40\6\0\0\x0a\0\0\1\x0a\0\0\2"
	"\0\x50\1\xbb";
static const uint8_t udp[60] =
	"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
	"\x45\0\0\x28\0\0\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2";

static const struct mgmt mgmt = { .tables = &cmd_class, .n_tables = 1 };
static struct wirefilter wf;
static uint64_t now;
static char text[4096], why[MGMT_WHY];
static struct strbuf out;

/* That of cmd.c keeps the log besides. */
int cmd_refuse(struct mgmt_req *rq, int rc, const char *reason)
{
	return mgmt_refuse(rq, rc, reason);
}

static uint64_t clock_of_test(void)
{
	return now;
}

static void begin(bool both)
{
	now = 1000 * MS;
	wf.loop = loop_new();
	loop_set_clock(wf.loop, clock_of_test);
	(void)loop_clock(wf.loop);
	wf.wire = wire_new(1, both, IMPAIR_MEMORY_DEFAULT, now);
	CHECK(wf.wire && !wf.sorter);
}

static void end(void)
{
	sorter_free(wf.sorter);
	wire_free(wf.wire);
	loop_free(wf.loop);
	memset(&wf, 0, sizeof(wf));
}

static void to_strbuf(void *ctx, const char *s, size_t n)
{
	strbuf_addn(ctx, s, n);
}

/* A line of the console; what it says is in @text. */
static int run(const char *line, bool json)
{
	const struct mgmt_cmd *cmd = mgmt_find(&mgmt, line);
	struct mgmt_req rq = { 0 };
	struct mgmt m = mgmt;
	struct writer w;
	char copy[1024];
	int rc;

	m.ctx = &wf;
	strbuf_init(&out, text, sizeof(text));
	writer_init(&w, json, to_strbuf, &out);
	rq.w = &w;
	CHECK(cmd && str_copy(copy, sizeof(copy), line) >= 0);
	writer_open(&w, NULL);
	rc = mgmt_run(&m, cmd, &rq, copy);
	writer_close(&w);
	CHECK(!out.cut);
	(void)str_copy(why, sizeof(why), rq.why);
	return rc;
}

static bool does(const char *line)
{
	int rc = run(line, false);

	if (!rc && !out.len)
		return true;
	printf("# %s: %d %s\n", line, rc, text);
	return false;
}

/* Refused with @rc, in words among which are @words. */
static bool refused(const char *line, int rc, const char *words)
{
	int got = run(line, false);

	if (got == rc && strstr(why, words) && !out.len)
		return true;
	printf("# %s: %d %s\n", line, got, why);
	return false;
}

static bool shows(const char *expected, bool json)
{
	CHECK(run("showclasses", json) == 0);
	if (!strcmp(text, expected))
		return true;
	printf("# got: %s\n# not: %s\n", text, expected);
	return false;
}

static void give(int direction, const uint8_t *frame, unsigned int number)
{
	uint8_t bytes[60];
	unsigned int class;

	memcpy(bytes, frame, sizeof(bytes));
	bytes[50] = (uint8_t)number;
	class = wf.sorter ? sorter_sort(wf.sorter, direction, bytes,
					sizeof(bytes))
			  : 0;
	impair_input(wf.wire->dir[direction], bytes, sizeof(bytes), class, now);
}

/* The numbers of frames that leave by @until, in order. */
static const char *leave(int direction, uint64_t until)
{
	struct impair *i = wf.wire->dir[direction];
	static char numbers[256];
	struct impair_frame *f;
	struct strbuf b;

	strbuf_init(&b, numbers, sizeof(numbers));
	while (impair_next(i) <= until) {
		now = impair_next(i);
		(void)loop_clock(wf.loop);
		while (impair_output(i, now, &f, 1)) {
			strbuf_fmt(&b, " %u", f->data[50]);
			impair_sent(i, &f, 1, now);
		}
	}
	now = until;
	return numbers;
}

static void a_class_of_its_own_has_a_delay_of_its_own(void)
{
	begin(true);
	CHECK(does("class-add web tcp port 443"));
	CHECK(does("class-set web delay LR10"));
	give(0, tcp, 1);
	give(0, udp, 2);
	give(1, tcp, 3);
	now += MS;
	give(0, tcp, 4);
	give(0, udp, 5);
	CHECK(!strcmp(leave(0, 1005 * MS), " 2 5"));
	CHECK(!strcmp(leave(1, 1005 * MS), " 3"));
	CHECK(!strcmp(leave(0, 1010 * MS), " 1"));
	CHECK(!strcmp(leave(0, 1011 * MS), " 4"));
	end();
}

static void what_a_class_has_not_set_is_the_wires(void)
{
	struct strbuf wrong;

	begin(false);
	strbuf_init(&wrong, text, sizeof(text));
	CHECK(!wire_set(wf.wire, 0, "delay", "20", now, &wrong));
	CHECK(does("class-add web tcp port 443"));
	CHECK(does("class-add rest ip"));
	CHECK(does("class-set rest delay 5"));
	give(0, tcp, 1);
	give(0, udp, 2);
	CHECK(!strcmp(leave(0, 1005 * MS), " 2"));
	CHECK(!strcmp(leave(0, 1020 * MS), " 1"));
	end();
}

static void frames_of_a_class_that_goes_leave_as_they_would_have(void)
{
	begin(false);
	CHECK(does("class-add web tcp port 443"));
	CHECK(does("class-set web delay 10"));
	CHECK(does("class-set web bandwidth 62000")); /* a frame in 1 ms */
	for (unsigned int n = 1; n <= 4; n++)
		give(0, tcp, n);
	CHECK(does("class-del web") && !wf.sorter);
	give(0, tcp, 5);
	give(0, udp, 6);
	CHECK(!strcmp(leave(0, 1001 * MS), " 5 6"));
	/* The next one of that number is another one. */
	CHECK(does("class-add voice udp") && does("class-set voice delay 30"));
	give(0, udp, 7);
	CHECK(!strcmp(leave(0, 1011 * MS), " 1"));
	CHECK(!strcmp(leave(0, 1014 * MS), " 2 3 4"));
	CHECK(!strcmp(leave(0, 1030 * MS), ""));
	CHECK(!strcmp(leave(0, 1031 * MS), " 7"));
	CHECK(impair_stats(wf.wire->dir[0])->waiting == 0);
	end();
}

static void wrong_classes_are_refused_with_the_reason(void)
{
	begin(true);
	CHECK(does("class-add web tcp"));
	CHECK(refused("class-add web udp", -EEXIST,
		      "class 'web': there is one of that name"));
	CHECK(refused("class-add b@d udp", -EINVAL, "class 'b@d': a name has"));
	CHECK(refused("class-add abcdefghijklmnopqrstuvwxyz012345 udp", -EINVAL,
		      "a name has 1 to 31"));
	CHECK(refused("class-add x tcp prt 3", -EINVAL,
		      "filter 'tcp prt 3': "));
	CHECK(strstr(why, "syntax error"));
	CHECK(refused("class-add x", -EINVAL, ""));
	CHECK(refused("class-add", -EINVAL, ""));
	CHECK(refused("class-del x", -ENOENT,
		      "class 'x': there is none of that"));
	CHECK(refused("class-set x delay 3", -ENOENT,
		      "class 'x': there is none of that"));
	CHECK(wire_find_class(wf.wire, "x") == -ENOENT);
	CHECK(does("class-del web") && !wf.sorter);
	CHECK(refused("class-add x tcp prt 3", -EINVAL, "syntax error"));
	CHECK(!wf.sorter);
	end();
}

static void wrong_settings_of_a_class_change_nothing(void)
{
	begin(true);
	CHECK(does("class-add web tcp") && does("class-set web delay 7"));
	CHECK(refused("class-set web delay abc", -EINVAL, "delay 'abc': "));
	CHECK(refused("class-set web delay -1", -EINVAL, "negative"));
	CHECK(refused("class-set web delay 5[1]", -EINVAL,
		      "a class has no nodes"));
	CHECK(refused("class-set web qdisc codel[2]", -EINVAL,
		      "a class has no nodes"));
	CHECK(refused("class-set web fifo 1", -EINVAL,
		      "there is no setting 'fifo'"));
	CHECK(refused("class-set web blackout 1+1", -EINVAL, "not of a class"));
	CHECK(refused("class-set web delay", -EINVAL, ""));
	CHECK(wf.wire->classes[1].params[0].value[PARAM_DELAY].num == 7);
	CHECK(wf.wire->classes[1].params[1].value[PARAM_DELAY].num == 7);
	end();
}

static void node_0_of_a_class_is_refused_too(void)
{
	begin(true);
	CHECK(does("class-add web tcp"));
	CHECK(refused("class-set web delay 5[0]", -EINVAL,
		      "a class has no nodes"));
	CHECK(refused("class-set web losslist 3[0]", -EINVAL,
		      "a class has no nodes"));
	end();
}

static void there_may_be_fifteen_classes(void)
{
	char line[64];

	begin(true);
	for (int i = 1; i <= 15; i++) {
		(void)str_fmt(line, sizeof(line), "class-add c%d port %d", i,
			      i);
		CHECK(does(line));
	}
	CHECK(refused("class-add more icmp", -ENOSPC, "there are 15 already"));
	CHECK(does("class-del c7") && does("class-add more port 443"));
	CHECK(does("class-set more loss 100"));
	give(0, tcp, 1);
	CHECK(impair_stats(wf.wire->dir[0])->fates[IMPAIR_LOSS] == 1);
	end();
}

static void classes_are_shown_with_what_is_set(void)
{
	begin(true);
	CHECK(shows("", false));
	CHECK(shows("{\"classes\":[]}", true));
	CHECK(does("class-add web tcp port 443"));
	CHECK(does("class-add any ip"));
	CHECK(does("class-set web delay LR10+5N"));
	CHECK(does("class-set any qdisc codel 5,100"));
	give(0, tcp, 1);
	give(1, tcp, 2);
	give(1, udp, 3);
	CHECK(shows("Class web: tcp port 443\n"
		    " L->R frames 1 bytes 60 R->L frames 1 bytes 60\n"
		    " delay L->R 10+5N R->L -\n"
		    "Class any: ip\n"
		    " L->R frames 0 bytes 0 R->L frames 1 bytes 60\n"
		    " qdisc L->R codel 5,100 R->L codel 5,100\n"
		    "Others\n"
		    " L->R frames 0 bytes 0 R->L frames 0 bytes 0\n",
		    false));
	CHECK(does("class-del any"));
	CHECK(shows("{\"classes\":[{\"class\":\"web\","
		    "\"filter\":\"tcp port 443\","
		    "\"lr\":{\"frames\":1,\"bytes\":60},"
		    "\"rl\":{\"frames\":1,\"bytes\":60},"
		    "\"settings\":{\"delay\":{\"unit\":\"ms\","
		    "\"lr\":{\"text\":\"10+5N\"},\"rl\":null}}}],"
		    "\"others\":{\"lr\":{\"frames\":0,\"bytes\":0},"
		    "\"rl\":{\"frames\":0,\"bytes\":0}}}",
		    true));
	end();
}

static void a_wire_of_one_direction_shows_one(void)
{
	begin(false);
	CHECK(does("class-add web tcp") && does("class-set web loss 3"));
	give(0, udp, 1);
	CHECK(shows("Class web: tcp\n frames 0 bytes 0\n loss 3+0U\n"
		    "Others\n frames 1 bytes 60\n",
		    false));
	end();
}

static void a_long_list_is_cut(void)
{
	char line[1000] = "class-set web losslist 1";
	size_t len = strlen(line);

	begin(true);
	for (unsigned int i = 3; len < sizeof(line) - 10; i += 2)
		len += (size_t)str_fmt(line + len, sizeof(line) - len, ",%u",
				       i);
	CHECK(does("class-add web tcp") && does(line));
	CHECK(run("showclasses", false) == 0 && strstr(text, "... R->L 1,3,5"));
	end();
}

static void every_row_is_a_right_one(void)
{
	const struct mgmt none = { 0 };

	for (size_t i = 0; i < cmd_class.n_cmds; i++)
		CHECK(mgmt_check(&none, &cmd_class.cmds[i]) == 0);
}

int main(void)
{
	struct strbuf wrong;

	begin(true);
	strbuf_init(&wrong, text, sizeof(text));
	if (class_add(&wf, "x", "ip", &wrong) < 0) {
		printf("# skip: %s\n", text);
		return 77;
	}
	end();
	RUN(a_class_of_its_own_has_a_delay_of_its_own);
	RUN(what_a_class_has_not_set_is_the_wires);
	RUN(frames_of_a_class_that_goes_leave_as_they_would_have);
	RUN(wrong_classes_are_refused_with_the_reason);
	RUN(wrong_settings_of_a_class_change_nothing);
	RUN(node_0_of_a_class_is_refused_too);
	RUN(there_may_be_fifteen_classes);
	RUN(classes_are_shown_with_what_is_set);
	RUN(a_wire_of_one_direction_shows_one);
	RUN(a_long_list_is_cut);
	RUN(every_row_is_a_right_one);
	DONE();
}
