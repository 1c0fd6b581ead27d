// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "lib/libvdeplug.h"

#define FRAME_MAX 9236
#define N_FRAMES 200

/* Frame @i of a known sequence: any length, its number in every byte. */
static size_t frame_len(int i)
{
	static const size_t odd[] = { 1,   2,	13,  14,   60,
				      255, 256, 257, 1514, FRAME_MAX };

	return i % 3 ? odd[i % 10] : 1 + (size_t)(i * 7919) % FRAME_MAX;
}

static size_t put_frame(uint8_t *p, int i)
{
	size_t len = frame_len(i);

	p[0] = (uint8_t)(len >> 8);
	p[1] = (uint8_t)len;
	memset(p + 2, i & 0xff, len);
	return 2 + len;
}

struct sink {
	int next; /* number of the frame that must come */
	int wrong;
	int errors, last_type, last_len, last_max;
};

static ssize_t sink_frame(void *opaque, void *buf, size_t len)
{
	struct sink *s = opaque;
	const uint8_t *p = buf;
	int i = s->next++;

	if (len != frame_len(i))
		s->wrong++;
	else
		for (size_t k = 0; k < len; k++)
			s->wrong += p[k] != (i & 0xff);
	return (ssize_t)len;
}

static void sink_error(void *opaque, int type, char *format, ...)
{
	struct sink *s = opaque;
	va_list ap;

	va_start(ap, format);
	s->errors++;
	s->last_type = type;
	s->last_len = va_arg(ap, int);
	s->last_max = va_arg(ap, int);
	va_end(ap);
}

static uint32_t rng = 1;

static size_t random_below(size_t n)
{
	rng = rng * 1664525 + 1013904223;
	return (rng >> 8) % n;
}

static uint8_t *all_frames(size_t *len)
{
	uint8_t *buf = malloc((size_t)N_FRAMES * (FRAME_MAX + 2));

	*len = 0;
	for (int i = 0; i < N_FRAMES; i++)
		*len += put_frame(buf + *len, i);
	return buf;
}

static void frames_survive_any_split(void)
{
	struct sink s = { 0 };
	VDESTREAM *vs = vdestream_open(&s, -1, sink_frame, sink_error);
	size_t len, done = 0, n, most[] = { 3, 40, 5000, 100000 };
	uint8_t *buf = all_frames(&len);

	for (int i = 0; done < len; i++) {
		n = 1 + random_below(most[i % 4]);
		if (n > len - done)
			n = len - done;
		vdestream_recv(vs, buf + done, n);
		done += n;
	}
	CHECK(s.next == N_FRAMES);
	CHECK(s.wrong == 0 && s.errors == 0);
	vdestream_close(vs);
	free(buf);
}

static void single_bytes_are_enough(void)
{
	struct sink s = { 0 };
	VDESTREAM *vs = vdestream_open(&s, -1, sink_frame, NULL);
	size_t len;
	uint8_t *buf = all_frames(&len);

	len = 20000;
	for (size_t i = 0; i < len; i++)
		vdestream_recv(vs, buf + i, 1);
	CHECK(s.next > 3 && s.wrong == 0);
	vdestream_close(vs);
	free(buf);
}

static void an_impossible_length_is_reported_and_skipped(void)
{
	struct sink s = { 0 };
	VDESTREAM *vs = vdestream_open(&s, -1, sink_frame, sink_error);
	uint8_t *buf = malloc(200000);
	size_t n = put_frame(buf, 0);

	for (int i = 0; i < 2; i++) {
		buf[n] = 0xff;
		buf[n + 1] = (uint8_t)(0xf0 + i);
		memset(buf + n + 2, 0, 0xfff1);
		n += 2 + 0xfff0 + (size_t)i;
	}
	n += put_frame(buf + n, 1);
	for (size_t i = 0; i < n; i += 1000)
		vdestream_recv(vs, buf + i, n - i < 1000 ? n - i : 1000);
	CHECK(s.next == 2 && s.wrong == 0);
	CHECK(s.errors == 2 && s.last_type == PACKET_LENGTH_ERROR);
	CHECK(s.last_len == 0xfff1 && s.last_max == FRAME_MAX);
	vdestream_close(vs);
	free(buf);
}

static void errors_need_no_callback(void)
{
	struct sink s = { 0 };
	VDESTREAM *vs = vdestream_open(&s, -1, sink_frame, NULL);
	uint8_t head[] = { 0xff, 0xff };

	vdestream_recv(vs, head, sizeof(head));
	CHECK(s.next == 0);
	vdestream_close(vs);
}

static void a_zero_length_is_skipped(void)
{
	struct sink s = { 0 };
	VDESTREAM *vs = vdestream_open(&s, -1, sink_frame, sink_error);
	uint8_t *buf = calloc(1, 2 * FRAME_MAX);
	size_t n = 6 + put_frame(buf + 6, 0);

	n += 2;
	n += put_frame(buf + n, 1);
	vdestream_recv(vs, buf, n);
	CHECK(s.next == 2 && s.wrong == 0 && s.errors == 0);
	vdestream_close(vs);
	free(buf);
}

static void a_sent_frame_has_its_length_in_front(void)
{
	VDESTREAM *vs;
	uint8_t out[100], frame[64];
	int fd[2];

	CHECK(pipe(fd) == 0);
	memset(frame, 7, sizeof(frame));
	vs = vdestream_open(NULL, fd[1], sink_frame, NULL);
	CHECK(vdestream_send(vs, frame, sizeof(frame)) == 66);
	CHECK(read(fd[0], out, sizeof(out)) == 66);
	CHECK(out[0] == 0 && out[1] == 64 && !memcmp(out + 2, frame, 64));
	vdestream_close(vs);
	CHECK(fcntl(fd[1], F_GETFD) >= 0);
	close(fd[0]);
	close(fd[1]);
}

static void what_is_no_frame_is_not_sent(void)
{
	static uint8_t frame[FRAME_MAX + 1];
	VDESTREAM *vs;
	int fd[2];

	CHECK(pipe2(fd, O_NONBLOCK) == 0);
	vs = vdestream_open(NULL, fd[1], sink_frame, NULL);
	CHECK(vdestream_send(vs, frame, sizeof(frame)) == 0);
	CHECK(vdestream_send(vs, frame, 0) == 0);
	CHECK(read(fd[0], frame, sizeof(frame)) == -1 && errno == EAGAIN);
	CHECK(vdestream_send(vs, frame, FRAME_MAX) == FRAME_MAX + 2);
	vdestream_close(vs);
	close(fd[0]);
	close(fd[1]);
}

static void a_closed_descriptor_is_an_error(void)
{
	VDESTREAM *vs = vdestream_open(NULL, -1, sink_frame, NULL);

	errno = 0;
	CHECK(vdestream_send(vs, "x", 1) == -1 && errno == EBADF);
	vdestream_close(vs);
}

static int send_all(int fd)
{
	static uint8_t buf[FRAME_MAX + 2];
	VDESTREAM *vs = vdestream_open(NULL, fd, sink_frame, NULL);
	int refused = 0;

	for (int i = 0; i < N_FRAMES; i++) {
		size_t n = put_frame(buf, i);

		while (vdestream_send(vs, buf + 2, n - 2) != (ssize_t)n) {
			if (errno != EAGAIN)
				return 1;
			refused = 1;
			usleep(100);
		}
	}
	return refused ? 0 : 2;
}

/* A pipe takes a large write in part, so frames get cut on the way. */
static void a_full_pipe_cuts_no_frame(void)
{
	struct sink s = { 0 };
	VDESTREAM *vs = vdestream_open(&s, -1, sink_frame, sink_error);
	uint8_t buf[3000];
	ssize_t n;
	int fd[2], status;
	pid_t pid;

	CHECK(pipe(fd) == 0);
	CHECK(fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0);
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		_exit(send_all(fd[1]));
	}
	close(fd[1]);
	while ((n = read(fd[0], buf, sizeof(buf))) > 0) {
		vdestream_recv(vs, buf, (size_t)n);
		usleep(50);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(s.next == N_FRAMES && s.wrong == 0 && s.errors == 0);
	vdestream_close(vs);
	close(fd[0]);
}

int main(void)
{
	alarm(30);
	RUN(frames_survive_any_split);
	RUN(single_bytes_are_enough);
	RUN(an_impossible_length_is_reported_and_skipped);
	RUN(errors_need_no_callback);
	RUN(a_zero_length_is_skipped);
	RUN(a_sent_frame_has_its_length_in_front);
	RUN(what_is_no_frame_is_not_sent);
	RUN(a_closed_descriptor_is_an_error);
	RUN(a_full_pipe_cuts_no_frame);
	DONE();
}
