// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugins/pcapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/strbuf.h"

#define HEADER 24
#define RECORD 16

static char dir[] = "/tmp/vde-pcapfile.XXXXXX";
static char path[100];
static struct pcapfile *f;
static uint8_t got[1 << 20], frame[70000];

static size_t slurp(void)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, got, sizeof(got));

	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

static uint32_t word(size_t at)
{
	uint32_t v;

	memcpy(&v, got + at, sizeof(v));
	return v;
}

static int put(uint32_t len, bool tagged)
{
	struct vde_plugin_frame v = {
		.data = frame, .len = len, .tagged = tagged, .tci = 0x6005
	};

	return pcapfile_write(f, &v);
}

static void a_file_begins_with_its_header(void)
{
	static const uint8_t start[] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0 };
	struct stat st;

	CHECK(pcapfile_open(f, path) == 0 && slurp() == HEADER);
	CHECK(word(0) == 0xa1b2c3d4 && word(16) == PCAPFILE_SNAPLEN);
	CHECK(word(8) == 0 && word(12) == 0 && word(20) == 1);
	CHECK(word(0) != 0xd4c3b2a1 || !memcmp(got, start, sizeof(start)));
	CHECK(!stat(path, &st) && (st.st_mode & 07777) == 0600);
}

static void frames_are_stored_as_on_the_wire(void)
{
	uint32_t now = (uint32_t)time(NULL);
	size_t at = HEADER;

	CHECK(put(60, false) == 0 && put(60, true) == 0);
	CHECK(slurp() == HEADER + RECORD + 60 + RECORD + 64);
	CHECK(word(at) - now <= 1 && word(at + 4) < 1000000);
	CHECK(word(at + 8) == 60 && word(at + 12) == 60);
	CHECK(!memcmp(got + at + RECORD, frame, 60));
	at += RECORD + 60;
	CHECK(word(at + 8) == 64 && word(at + 12) == 64);
	at += RECORD;
	CHECK(!memcmp(got + at, frame, 12));
	CHECK(!memcmp(got + at + 12, "\x81\0\x60\5", 4));
	CHECK(!memcmp(got + at + 16, frame + 12, 48));
	CHECK(f->frames == 2);
}

static void a_file_is_begun_anew(void)
{
	CHECK(pcapfile_open(f, path) == 0 && slurp() == HEADER);
	CHECK(f->frames == 0);
}

static void buffered_frames_come_later_and_in_order(void)
{
	size_t n = 0, at = HEADER;

	f->buffered = true;
	for (uint32_t i = 0; i < 200; i++) {
		frame[0] = (uint8_t)i;
		CHECK(put(1000, false) == 0);
	}
	CHECK(slurp() > HEADER && slurp() < HEADER + 200 * 1016);
	/* Longer than the buffer. */
	CHECK(put(66000, false) == 0);
	CHECK(put(10, false) == 0);
	CHECK(slurp() == HEADER + 200 * 1016 + 66016);
	CHECK(pcapfile_close(f) == 0);
	CHECK(slurp() == HEADER + 200 * 1016 + 66016 + 26);
	for (; n < 200; n++, at += 1016)
		CHECK(word(at + 8) == 1000 && got[at + RECORD] == n);
	CHECK(word(at + 8) == 66000 && word(at + 66016 + 8) == 10);
	CHECK(put(10, false) == -EBADF);
	CHECK(pcapfile_close(f) == 0 && pcapfile_flush(f) == 0);
	f->buffered = false;
}

static void only_regular_files_are_taken(void)
{
	char fifo[120];

	str_fmt(fifo, sizeof(fifo), "%s/fifo", dir);
	CHECK(!mkfifo(fifo, 0600) && !pcapfile_open(f, path));
	CHECK(pcapfile_open(f, fifo) == -EINVAL);
	CHECK(pcapfile_open(f, "/dev/null") == -EINVAL);
	CHECK(pcapfile_open(f, dir) == -EISDIR);
	CHECK(pcapfile_open(f, "/nonexistent/x") == -ENOENT);
	CHECK(put(60, false) == 0 && slurp() == HEADER + 76);
	unlink(fifo);
}

static void a_full_disk_ends_it_behind_a_whole_frame(void)
{
	struct rlimit old, small = { 1000, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	CHECK(pcapfile_open(f, path) == 0);
	CHECK(!setrlimit(RLIMIT_FSIZE, &small));
	for (int i = 0; i < 4; i++)
		CHECK(put(200, false) == 0);
	CHECK(put(200, false) == -EFBIG);
	CHECK(f->fd == -1 && put(200, false) == -EBADF);
	CHECK(slurp() == HEADER + 4 * 216);
	f->buffered = true;
	CHECK(pcapfile_open(f, path) == 0);
	for (int i = 0; i < 6; i++)
		CHECK(put(200, false) == 0);
	CHECK(pcapfile_close(f) == -EFBIG && slurp() == HEADER);
	CHECK(pcapfile_open(f, path) == 0);
	CHECK(put(66000, false) == -EFBIG && slurp() == HEADER);
	CHECK(!setrlimit(RLIMIT_FSIZE, &old));
}

int main(void)
{
	f = malloc(sizeof(*f));
	if (!f || !mkdtemp(dir))
		return 1;
	str_fmt(path, sizeof(path), "%s/x.cap", dir);
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	pcapfile_init(f);
	RUN(a_file_begins_with_its_header);
	RUN(frames_are_stored_as_on_the_wire);
	RUN(a_file_is_begun_anew);
	RUN(buffered_frames_come_later_and_in_order);
	RUN(only_regular_files_are_taken);
	RUN(a_full_disk_ends_it_behind_a_whole_frame);
	unlink(path);
	CHECK(!rmdir(dir));
	free(f);
	DONE();
}
