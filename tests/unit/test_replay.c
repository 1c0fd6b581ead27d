// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records that are read to be applied: each frame gets what is written for
 * it, in whatever order that is, and a bad file is refused with its line.
 */
#include "wirefilter/replay.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/test.h"
#include "wirefilter/record.h"

#define FIRST "# vde wirefilter decisions 1\n"

static char dir[] = "/tmp/vde-replay.XXXXXX";
static char path[sizeof(dir) + 8], why_text[300];
static struct strbuf why;
static struct replay *rp;

static int open_text(const char *text)
{
	FILE *f = fopen(path, "w");

	CHECK(f && fwrite(text, 1, strlen(text), f) == strlen(text));
	CHECK(f && !fclose(f));
	strbuf_init(&why, why_text, sizeof(why_text));
	return replay_open(&rp, path, &why);
}

static bool fails(const char *text, int rc, const char *reason)
{
	if (open_text(text) == rc && !strcmp(why_text, reason))
		return true;
	printf("# %s\n", why_text);
	return false;
}

/* The next frame of @direction has these, as text: "pass 5, loss 0". */
static bool next_is(unsigned int direction, bool mentioned, const char *want)
{
	const struct impair_decision *d;
	struct strbuf b;
	char text[300];
	int n;

	strbuf_init(&b, text, sizeof(text));
	if (replay_next(rp, direction, &d, &n) != mentioned)
		return false;
	for (int i = 0; i < n; i++)
		strbuf_fmt(&b, "%s%u %s %llu", i ? ", " : "", d[i].copy,
			   impair_fate_name(d[i].fate),
			   (unsigned long long)d[i].delay);
	if (strcmp(text, want) != 0)
		printf("# %s\n", text);
	return !strcmp(text, want);
}

static void each_frame_gets_what_is_written_for_it(void)
{
	CHECK(!open_text(FIRST "seed 9\n"
			       "LR 1 0 5 pass 10\n"
			       "RL 1 0 6 loss 0\n"
			       "LR 2 0 7 mtu 0\n"
			       "LR 3 0 8 pass 0 77 0 1 0\n"
			       "LR 3 1 8 full_bytes 0\n"
			       "LR 3 2 8 pass 12\n"
			       "LR 5 0 9 pass 1\n"
			       "end\n"));
	CHECK(replay_is_complete(rp));
	CHECK(replay_last(rp, 0) == 5 && replay_last(rp, 1) == 1);
	CHECK(next_is(0, true, "0 pass 10"));
	CHECK(next_is(1, true, "0 loss 0"));
	CHECK(next_is(1, false, "0 pass 0"));
	CHECK(next_is(0, true, "0 mtu 0"));
	CHECK(next_is(0, true, "0 pass 0, 1 full_bytes 0, 2 pass 12"));
	CHECK(next_is(0, true, ""));
	CHECK(next_is(0, true, "0 pass 1"));
	CHECK(next_is(0, false, "0 pass 0"));
	CHECK(next_is(0, false, "0 pass 0"));
	replay_free(rp);
}

static void the_order_of_lines_plays_no_role(void)
{
	const struct impair_decision *d;
	int n;

	CHECK(!open_text(FIRST "LR 4 0 0 pass 4 44 0 0 0.5\n"
			       "LR 3 1 0 pass 31 31 2 0 0\n"
			       "LR 1 0 0 pass 1\n"
			       "LR 3 0 0 pass 30\n"
			       "LR 2 0 0 pass 2 22 0 1 0\n"));
	CHECK(!replay_is_complete(rp) && replay_last(rp, 1) == 0);
	CHECK(next_is(0, true, "0 pass 1"));
	CHECK(replay_next(rp, 0, &d, &n) && n == 1 && d->delay == 2);
	CHECK(d->flips.seed == 22 && d->flips.corrupt == 1);
	CHECK(replay_next(rp, 0, &d, &n) && n == 2 && d[1].delay == 31);
	CHECK(d[0].flips.seed == 0 && d[0].flips.noise == 0);
	CHECK(d[1].flips.seed == 31 && d[1].flips.noise == 2);
	CHECK(replay_next(rp, 0, &d, &n) && d->flips.seed == 44);
	CHECK(!replay_next(rp, 0, &d, &n) && d->flips.seed == 0);
	CHECK(next_is(1, false, "0 pass 0"));
	replay_free(rp);
}

static void many_frames_and_endless_delays_fit(void)
{
	static char text[1 << 22];
	struct record_printer pr = { 0 };
	struct impair_decision d = { 0 };
	const struct impair_decision *got;
	struct strbuf b;
	bool ok = true;
	int n;

	strbuf_init(&b, text, sizeof(text));
	record_begin(&b, 1);
	for (uint64_t i = 1; i <= 60000; i++) {
		d.number = i ^ 1; /* in pairs, the other way round */
		d.delay = i == 20000 ? UINT64_MAX : i;
		if (d.number)
			record_decision(&b, &pr, 1, &d, 0);
	}
	CHECK(!b.cut && b.len > 1 << 20);
	CHECK(!open_text(text));
	for (uint64_t i = 1; i < 60000 && ok; i++) {
		uint64_t delay = i ^ 1;

		if (delay == 20000)
			delay = REPLAY_DELAY_MAX;
		ok = replay_next(rp, 1, &got, &n);
		ok = ok && (i == 1 ? n == 0 : n == 1 && got->delay == delay);
	}
	CHECK(ok && replay_last(rp, 1) == 60001);
	replay_free(rp);
}

static void what_is_wrong_is_said_with_its_line(void)
{
	CHECK(fails("", -EINVAL,
		    "line 1: is not '# vde wirefilter decisions 1'"));
	CHECK(fails(FIRST "LR 1 0 0 pass 0\nLR 2 0 0 lost 0\n", -EINVAL,
		    "line 3: 'lost' is no fate"));
	CHECK(fails(FIRST "LR 1 0 0 pass 0\nRL 1 0 0 pass 0\nLR 1 0 0 mtu 0\n"
			  "LR 2 0 0 pass 0\n",
		    -EEXIST, "line 4: copy 0 of frame LR 1 is there twice"));
	CHECK(fails(FIRST "RL 8 3 0 pass 0\nRL 1 0 0 pass 0\nRL 8 3 0 mtu 0\n",
		    -EEXIST, "copy 3 of frame RL 8 is there twice"));
}

static void only_regular_files_are_read(void)
{
	char other[sizeof(path) + 8];

	strbuf_init(&why, why_text, sizeof(why_text));
	CHECK(replay_open(&rp, dir, &why) == -EISDIR);
	CHECK(!strcmp(why_text, "Is a directory"));
	str_fmt(other, sizeof(other), "%s/fifo", dir);
	CHECK(!mkfifo(other, 0600));
	strbuf_init(&why, why_text, sizeof(why_text));
	CHECK(replay_open(&rp, other, &why) == -EINVAL);
	CHECK(!strcmp(why_text, "not a regular file"));
	unlink(other);
	strbuf_init(&why, why_text, sizeof(why_text));
	CHECK(replay_open(&rp, other, &why) == -ENOENT);
	CHECK(!strcmp(why_text, "No such file or directory"));
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	str_fmt(path, sizeof(path), "%s/file", dir);
	RUN(each_frame_gets_what_is_written_for_it);
	RUN(the_order_of_lines_plays_no_role);
	RUN(many_frames_and_endless_delays_fit);
	RUN(what_is_wrong_is_said_with_its_line);
	RUN(only_regular_files_are_read);
	unlink(path);
	rmdir(dir);
	DONE();
}
