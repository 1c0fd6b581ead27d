// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/scribe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/pcapng.h"

#include "../unit/test.h"

#define BLOCK 52 /* what a packet of 8 bytes takes */

static char path[] = "/tmp/vde-scribe.XXXXXX";
static int file, status, to;

static void begin(void)
{
	uint8_t head[BLOCK];
	struct pcapng_packet pkt = { .iov = &(struct iovec){ head, 8 },
				     .len = 8,
				     .wire_len = 8 };

	memset(head, 0, sizeof(head));
	CHECK(pcapng_put_packet(head, sizeof(head), &pkt) == BLOCK);
	CHECK(!ftruncate(file, 0) && !lseek(file, 0, SEEK_SET));
	CHECK(write(file, head, sizeof(head)) == BLOCK);
	to = scribe_start(file, SCRIBE_BLOCKS, "vde_test", &status);
	CHECK(to >= 0);
}

static void send_bytes(const uint8_t *p, size_t n)
{
	while (n) {
		struct pollfd pfd = { to, POLLOUT, 0 };
		ssize_t k = write(to, p, n);

		if (k < 0 && errno != EAGAIN)
			return;
		if (k < 0) {
			poll(&pfd, 1, 1000);
			continue;
		}
		p += k;
		n -= (size_t)k;
	}
}

/* @n blocks, in pieces of @piece bytes, and @more bytes of another one. */
static void send_blocks(unsigned int n, size_t piece, size_t more)
{
	static uint8_t data[1000 * BLOCK], bytes[8] = "abcdefg";
	struct pcapng_packet pkt = { .iov = &(struct iovec){ bytes, 8 },
				     .len = 8,
				     .wire_len = 8 };
	size_t len = n * BLOCK + more;

	for (unsigned int i = 0; i <= n; i++)
		pcapng_put_packet(data + (size_t)i * BLOCK, BLOCK, &pkt);
	for (size_t at = 0; at < len; at += piece)
		send_bytes(data + at, size_min(piece, len - at));
}

static int finish(void)
{
	struct pollfd pfd = { status, POLLIN, 0 };
	int rc;

	close(to);
	CHECK(poll(&pfd, 1, 10000) == 1);
	rc = scribe_result(status);
	close(status);
	return rc;
}

static off_t file_size(void)
{
	struct stat st;

	return fstat(file, &st) ? -1 : st.st_size;
}

static void what_is_sent_is_in_the_file(void)
{
	static const size_t pieces[] = { 1, 3, 7, 8, 51, 52, 53, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		begin();
		send_blocks(100, pieces[i], 0);
		CHECK(finish() == 0);
		CHECK(file_size() == 101 * BLOCK);
	}
}

static void what_was_only_begun_is_not(void)
{
	static const size_t more[] = { 1, 4, 7, 8, 9, 51 };

	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		begin();
		send_blocks(5, 4096, more[i]);
		CHECK(finish() == 0);
		CHECK(file_size() == 6 * BLOCK);
	}
}

static void nothing_at_all_is_fine(void)
{
	begin();
	CHECK(finish() == 0 && file_size() == BLOCK);
}

static void a_file_that_may_not_grow_ends_with_a_whole_block(void)
{
	struct rlimit old, rl;

	CHECK(!getrlimit(RLIMIT_FSIZE, &old));
	rl = old;
	for (rlim_t max = 200; max <= 210; max++) {
		rl.rlim_cur = max;
		CHECK(!setrlimit(RLIMIT_FSIZE, &rl));
		begin();
		CHECK(!setrlimit(RLIMIT_FSIZE, &old));
		send_blocks(100, 100, 0);
		CHECK(finish() == -EFBIG);
		CHECK(file_size() == (max < 208 ? 3 : 4) * BLOCK);
	}
}

/* The file is what @want says after @n bytes of @text in pieces of 3. */
static bool lines_become(const char *text, rlim_t max, int rc, const char *want)
{
	char got[100] = "";
	struct rlimit old, rl;
	ssize_t n;

	CHECK(!ftruncate(file, 0) && !lseek(file, 0, SEEK_SET));
	CHECK(!getrlimit(RLIMIT_FSIZE, &old));
	rl = old;
	rl.rlim_cur = max;
	CHECK(!setrlimit(RLIMIT_FSIZE, &rl));
	to = scribe_start(file, SCRIBE_LINES, "vde_test", &status);
	CHECK(!setrlimit(RLIMIT_FSIZE, &old));
	for (size_t at = 0; text[at]; at += size_min(3, strlen(text + at)))
		send_bytes((const uint8_t *)text + at,
			   size_min(3, strlen(text + at)));
	if (finish() != rc)
		return false;
	n = pread(file, got, sizeof(got) - 1, 0);
	return n == (ssize_t)strlen(want) && !strcmp(got, want);
}

static void a_file_of_lines_ends_with_a_whole_line(void)
{
	CHECK(lines_become("", RLIM_INFINITY, 0, ""));
	CHECK(lines_become("one\ntwo\n", RLIM_INFINITY, 0, "one\ntwo\n"));
	CHECK(lines_become("one\ntwo", RLIM_INFINITY, 0, "one\n"));
	CHECK(lines_become("never ends", RLIM_INFINITY, 0, ""));
	for (rlim_t max = 8; max < 14; max++)
		CHECK(lines_become("one\ntwo\nthree\nfour\n", max, -EFBIG,
				   "one\ntwo\n"));
	CHECK(lines_become("one\ntwo\nthree\nfour\n", 14, -EFBIG,
			   "one\ntwo\nthree\n"));
}

static void a_killed_process_is_not_taken_for_a_finished_one(void)
{
	int pair[2];

	CHECK(!pipe(pair));
	close(pair[1]);
	CHECK(scribe_result(pair[0]) == -EPIPE);
	close(pair[0]);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	file = mkstemp(path);
	if (file < 0)
		return 1;
	unlink(path);
	RUN(what_is_sent_is_in_the_file);
	RUN(what_was_only_begun_is_not);
	RUN(nothing_at_all_is_fine);
	RUN(a_file_that_may_not_grow_ends_with_a_whole_block);
	RUN(a_file_of_lines_ends_with_a_whole_line);
	RUN(a_killed_process_is_not_taken_for_a_finished_one);
	close(file);
	DONE();
}
