// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records that are written and applied again, with frames at times that the
 * test makes up: the same seed gives the same record, byte by byte, and a
 * replay gives the same frames at the same times whatever is set. And disks
 * that are full, slow or missing, which the wire must not notice.
 */
#include "wirefilter/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/hash.h"
#include "common/log.h"

#define MS UINT64_C(1000000)
#define FRAMES 5000
#define BEGIN (77 * MS)

static char dir[] = "/tmp/vde-journal.XXXXXX";
static char one[40], two[40], other[40];
static struct wirefilter wf;
static int stopped;

void wirefilter_stop(struct wirefilter *w, int status)
{
	stopped = status;
	loop_stop(w->loop);
}

static bool open_wire(uint64_t seed, const char *record, const char *replay,
		      bool strict)
{
	struct journal_config cfg = { &wf, record, replay, strict };

	stopped = -1;
	wf = (struct wirefilter){ .loop = loop_new() };
	wf.wire = wire_new(seed, true, 64 << 20, BEGIN);
	return !journal_new(&wf.journal, &cfg, BEGIN);
}

static int close_wire(void)
{
	int status = wf.journal ? journal_finish(wf.journal, 0) : 0;

	journal_free(wf.journal);
	wire_free(wf.wire);
	loop_free(wf.loop);
	return status;
}

static void set(const char *name, const char *text)
{
	char reason[200];
	struct strbuf why;

	strbuf_init(&why, reason, sizeof(reason));
	CHECK(!wire_set(wf.wire, 0, name, text, BEGIN, &why));
}

/* ---- what comes out ---- */

/* When and with which bytes: a number for all of it. */
static uint64_t seen;
static unsigned int n_seen;

static void take_out(int d, uint64_t now)
{
	static const uint64_t key[2] = { 1, 2 };
	struct impair_frame *f[16];
	int n;

	while ((n = impair_output(wf.wire->dir[d], now, f, 16)) > 0) {
		for (int i = 0; i < n; i++) {
			uint64_t bytes = hash_bytes(f[i]->data, f[i]->len, key);

			seen = hash_u64(seen ^ f[i]->due, f[i]->number);
			seen = hash_u64(seen ^ bytes, f[i]->len);
			n_seen++;
		}
		impair_sent(wf.wire->dir[d], f, n, now);
	}
}

static void until(uint64_t now)
{
	uint64_t at;

	while ((at = wire_next(wf.wire)) <= now) {
		wire_advance(wf.wire, at);
		for (int d = 0; d < 2; d++)
			take_out(d, at);
	}
}

/* Frames of both directions, always the same. */
static void drive(int frames)
{
	uint8_t data[1514];
	uint64_t now = BEGIN;
	struct rng rng;

	rng_stream(&rng, 99, 0, 0);
	seen = n_seen = 0;
	for (int i = 0; i < frames; i++) {
		int d = (int)(rng_u64(&rng) % 2);
		size_t len = 1 + rng_u64(&rng) % sizeof(data);

		now += rng_u64(&rng) % (2 * MS);
		until(now);
		memset(data, i, len);
		if (journal_replays(wf.journal))
			journal_input(wf.journal, d, data, len, now);
		else
			impair_input(wf.wire->dir[d], data, len, 0, now);
	}
	until(now + 100000 * MS);
}

static void set_everything(void)
{
	set("loss", "5");
	set("lostburst", "RL3");
	set("delay", "20+10:normal~50");
	set("dup", "10+5");
	set("reorder", "7");
	set("corrupt", "20");
	set("noise", "LR300");
	set("mtu", "1400");
	set("bandwidth", "300K");
	set("chanbufsize", "60K");
	set("qdisc", "RLcodel 1,20");
	set("blackout", "LR1000+200/3000");
}

static bool same_files(const char *a, const char *b)
{
	FILE *f = fopen(a, "r"), *g = fopen(b, "r");
	int x = 0, y = 0;
	bool some = false;

	while (f && g && x == y && x != EOF) {
		x = getc(f);
		y = getc(g);
		some |= x != EOF;
	}
	if (f)
		fclose(f);
	if (g)
		fclose(g);
	return some && x == y;
}

static bool has_line(const char *path, const char *part)
{
	char line[300];
	FILE *f = fopen(path, "r");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, part);
	if (f)
		fclose(f);
	return found;
}

/* ---- repeatable ---- */

static void the_same_seed_gives_the_same_record_byte_by_byte(void)
{
	static const char *const fates[] = { " loss 0",	    " burst 0",
					     " mtu 0",	    " blackout 0",
					     " full_bytes", " late 0",
					     " pass " };
	uint64_t first;

	CHECK(open_wire(42, one, NULL, true));
	set_everything();
	drive(FRAMES);
	first = seen;
	CHECK(n_seen > FRAMES / 2 && !close_wire());
	for (size_t i = 0; i < ARRAY_SIZE(fates); i++)
		CHECK(has_line(one, fates[i]));
	CHECK(has_line(one, "seed 42\n") && has_line(one, "end\n"));
	CHECK(open_wire(42, two, NULL, true));
	set_everything();
	drive(FRAMES);
	CHECK(seen == first && !close_wire());
	CHECK(same_files(one, two));
	CHECK(open_wire(43, two, NULL, true));
	set_everything();
	drive(FRAMES);
	CHECK(seen != first && !close_wire());
	CHECK(!same_files(one, two));
}

/* Of @one, which the test above has left: with other settings, none and
 * another seed the same frames leave at the same times with the same bytes. */
static void a_replay_does_the_same_again_whatever_is_set(void)
{
	const struct journal_info *info;
	uint64_t first;
	unsigned int n;

	CHECK(open_wire(42, one, NULL, true));
	set_everything();
	drive(FRAMES);
	first = seen;
	n = n_seen;
	CHECK(!close_wire());
	CHECK(open_wire(42, two, one, true));
	set("loss", "100");
	set("delay", "LR1");
	drive(FRAMES);
	CHECK(seen == first && n_seen == n);
	info = journal_info(wf.journal);
	CHECK(info->replayed[0] + info->replayed[1] == FRAMES);
	CHECK(!info->beyond[0] && !info->beyond[1] && !info->error);
	CHECK(!close_wire());
	CHECK(open_wire(7, NULL, two, false));
	drive(FRAMES);
	CHECK(seen == first && n_seen == n && !close_wire());
}

static void frames_beyond_the_record_pass_unimpaired(void)
{
	const struct journal_info *info;

	CHECK(open_wire(1, one, NULL, true));
	set("loss", "100");
	drive(100);
	CHECK(!n_seen && !close_wire());
	CHECK(open_wire(1, NULL, one, false));
	set("loss", "100");
	drive(150);
	info = journal_info(wf.journal);
	CHECK(n_seen == 50 && info->beyond[0] + info->beyond[1] == 50);
	CHECK(info->replayed[0] + info->replayed[1] == 100);
	close_wire();
}

/* ---- disks ---- */

static bool (*enough)(void);
static int tries;

static void look(struct loop_timer *t)
{
	if (enough() || !--tries)
		loop_stop(wf.loop);
	else
		loop_timer_set(wf.loop, t, MS, look);
}

/* The loop runs until @fn says so. */
static bool runs_until(bool (*fn)(void))
{
	struct loop_timer t = { 0 };

	enough = fn;
	tries = 10000;
	loop_timer_set(wf.loop, &t, 0, look);
	CHECK(!loop_run(wf.loop));
	loop_timer_del(wf.loop, &t);
	return fn();
}

static bool failed(void)
{
	return journal_info(wf.journal)->error;
}

static void a_full_disk_ends_the_record_and_not_the_wire(void)
{
	CHECK(open_wire(1, "/dev/full", NULL, false));
	CHECK(runs_until(failed) && stopped == -1);
	CHECK(journal_info(wf.journal)->error == -ENOSPC);
	CHECK(impair_is_clear(wf.wire->dir[0]));
	CHECK(journal_is_idle(wf.journal));
	drive(100);
	CHECK(n_seen == 100 && close_wire() == 0);
	CHECK(open_wire(1, "/dev/full", NULL, true));
	CHECK(runs_until(failed) && stopped == 1 && close_wire() == 1);
	CHECK(open_wire(1, "/dev/full", NULL, true));
	CHECK(close_wire() == 1 && stopped == 1);
}

static bool is_written(void)
{
	return has_line(one, "LR 4 0 ") && has_line(one, "RL 4 0 ");
}

static void what_waits_is_written_in_time(void)
{
	CHECK(open_wire(1, one, NULL, true));
	CHECK(!journal_is_idle(wf.journal));
	drive(20);
	CHECK(!is_written());
	CHECK(runs_until(is_written) && !has_line(one, "end\n"));
	CHECK(!close_wire() && has_line(one, "end\n"));
}

static bool frames_until_it_fails(void)
{
	uint8_t data[60] = { 0 };

	for (int i = 0; i < 4096; i++) {
		impair_input(wf.wire->dir[0], data, sizeof(data), 0, BEGIN);
		take_out(0, BEGIN);
	}
	return failed();
}

/* Nobody reads at the other end of the pipe, as if a disk did not answer. */
static void a_slow_disk_delays_nobody_and_takes_bounded_memory(void)
{
	const struct journal_info *info;
	int fd;

	CHECK(!mkfifo(other, 0600));
	fd = open(other, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	CHECK(fd >= 0 && open_wire(1, other, NULL, false));
	info = journal_info(wf.journal);
	CHECK(runs_until(frames_until_it_fails) && info->error == -ENOBUFS);
	CHECK(info->decisions > JOURNAL_WAITING / 40);
	CHECK(info->decisions < JOURNAL_WAITING / 10);
	CHECK(close_wire() == 0);
	close(fd);
	unlink(other);
}

static void much_is_written_while_frames_pass(void)
{
	struct stat st;

	CHECK(open_wire(1, one, NULL, true));
	tries = 0;
	for (int i = 0; i < 50; i++)
		frames_until_it_fails();
	CHECK(!failed() && !close_wire());
	CHECK(!stat(one, &st) && st.st_size > (off_t)50 * 4096 * 10);
	CHECK(has_line(one, "LR 204800 0 ") && has_line(one, "end\n"));
}

static void a_file_that_cannot_be_made_is_an_error(void)
{
	CHECK(!open_wire(1, "/nonexistent/file", NULL, false));
	CHECK(!wf.journal && impair_is_clear(wf.wire->dir[0]));
	close_wire();
	CHECK(!open_wire(1, dir, NULL, false));
	close_wire();
	CHECK(!open_wire(1, NULL, "/nonexistent/file", false));
	close_wire();
	unlink(two);
	CHECK(!open_wire(1, two, "/dev/null", false));
	CHECK(access(two, F_OK) < 0);
	close_wire();
}

int main(void)
{
	log_open("test_journal", LOG_EMERG);
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return 1;
	str_fmt(one, sizeof(one), "%s/one", dir);
	str_fmt(two, sizeof(two), "%s/two", dir);
	str_fmt(other, sizeof(other), "%s/other", dir);
	RUN(the_same_seed_gives_the_same_record_byte_by_byte);
	RUN(a_replay_does_the_same_again_whatever_is_set);
	RUN(frames_beyond_the_record_pass_unimpaired);
	RUN(a_full_disk_ends_the_record_and_not_the_wire);
	RUN(what_waits_is_written_in_time);
	RUN(a_slow_disk_delays_nobody_and_takes_bounded_memory);
	RUN(much_is_written_while_frames_pass);
	RUN(a_file_that_cannot_be_made_is_an_error);
	unlink(one);
	unlink(two);
	rmdir(dir);
	DONE();
}
