// SPDX-License-Identifier: GPL-2.0-or-later
/* cmd:// connections, and that the host process does not notice them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "lib/batch.h"
#include "lib/libvdeplug.h"

static char tmp[] = "/tmp/vde-cmd.XXXXXX";

static __attribute__((format(printf, 1, 2))) VDECONN *open_cmd(const char *fmt,
							       ...)
{
	char url[600] = "cmd://";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(url + 6, sizeof(url) - 6, fmt, ap);
	va_end(ap);
	return vde_open(url, NULL, NULL);
}

static bool wait_readable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) > 0;
}

static bool is_readable(VDECONN *c, int ms)
{
	return wait_readable(vde_datafd(c), ms);
}

/* The next frame, past events without one. */
static ssize_t next_frame(VDECONN *c, void *buf, size_t len)
{
	ssize_t n = 1;

	while (n == 1 && is_readable(c, 5000))
		n = vde_recv(c, buf, len, 0);
	return n;
}

/* A named pipe into a command, opened by the test at the other end. */
static int open_fifo(VDECONN **c, const char *name)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", tmp, name);
	if (mkfifo(path, 0600) < 0)
		return -1;
	*c = open_cmd("cat %s", path);
	fd = open(path, O_WRONLY);
	unlink(path);
	return fd;
}

/* What a command wrote to file @name, once it has ended. */
static size_t output_of(VDECONN *c, const char *name, char *buf, size_t size)
{
	char path[100];
	ssize_t n = 0;
	int fd;

	CHECK(next_frame(c, buf, size) == 0);
	snprintf(path, sizeof(path), "%s/%s", tmp, name);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		n = read(fd, buf, size - 1);
		close(fd);
		unlink(path);
	}
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void a_command_gets_frames_and_answers(void)
{
	static const char *const commands[] = { "cat", "  cat   - ",
						"cat | cat", "c'a't -" };
	uint8_t out[9236], in[9300];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		VDECONN *c = open_cmd("%s", commands[i]);

		memset(out, 3 + (int)i, sizeof(out));
		CHECK(c && vde_ctlfd(c) == -1);
		for (size_t len = 1514; len <= 9236; len += 7722) {
			CHECK(vde_send(c, out, len, 0) == (ssize_t)len);
			CHECK(next_frame(c, in, sizeof(in)) == (ssize_t)len);
			CHECK(!memcmp(in, out, len));
		}
		CHECK(!is_readable(c, 0));
		CHECK(vde_send(c, out, 60, 0) == 60);
		CHECK(next_frame(c, in, 14) == 14);
		vde_close(c);
	}
}

static void too_long_a_frame_is_not_sent(void)
{
	static char frame[9237];
	VDECONN *c = open_cmd("cat");

	errno = 0;
	CHECK(vde_send(c, frame, sizeof(frame), 0) == -1 && errno == EMSGSIZE);
	CHECK(vde_send(c, frame, 60, 0) == 60);
	CHECK(next_frame(c, frame, sizeof(frame)) == 60);
	vde_close(c);
}

static void the_descriptor_is_readable_for_every_frame(void)
{
	uint8_t buf[100];
	VDECONN *c;
	int fd = open_fifo(&c, "f");

	/* Three frames and a half in one piece. */
	CHECK(write(fd, "\0\3abc\0\4defg\0\2hi\0\5x", 18) == 18);
	CHECK(next_frame(c, buf, sizeof(buf)) == 3 && !memcmp(buf, "abc", 3));
	CHECK(is_readable(c, 0));
	CHECK(vde_recv(c, buf, sizeof(buf), 0) == 4 && !memcmp(buf, "defg", 4));
	CHECK(is_readable(c, 0));
	CHECK(vde_recv(c, buf, sizeof(buf), 0) == 2 && !memcmp(buf, "hi", 2));
	CHECK(is_readable(c, 0));
	CHECK(vde_recv(c, buf, sizeof(buf), 0) == 1);
	CHECK(!is_readable(c, 0));
	CHECK(write(fd, "yzab", 4) == 4);
	CHECK(next_frame(c, buf, sizeof(buf)) == 5 && !memcmp(buf, "xyzab", 5));
	CHECK(!is_readable(c, 0));
	close(fd);
	vde_close(c);
}

static void a_frame_may_come_byte_by_byte(void)
{
	static const char stream[] = "\0\5hello\0\0\0\3abc";
	uint8_t buf[100];
	VDECONN *c;
	int fd = open_fifo(&c, "f");
	ssize_t n;

	for (size_t i = 0; i < sizeof(stream) - 1; i++) {
		CHECK(write(fd, stream + i, 1) == 1);
		CHECK(is_readable(c, 5000));
		n = vde_recv(c, buf, sizeof(buf), 0);
		CHECK(n == (i == 6 ? 5 : i == 13 ? 3 : 1));
		CHECK(!is_readable(c, 0));
	}
	close(fd);
	vde_close(c);
}

static void lengths_that_cannot_be_are_skipped(void)
{
	uint8_t buf[65537] = { 0xff, 0xff }, in[10];
	VDECONN *c;
	int fd = open_fifo(&c, "f");
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 100; i++)
			if (write(fd, "\0\0", 2) != 2)
				_exit(1);
		_exit(write(fd, buf, sizeof(buf)) != sizeof(buf) ||
		      write(fd, "\0\3abc", 5) != 5);
	}
	CHECK(next_frame(c, in, sizeof(in)) == 3 && !memcmp(in, "abc", 3));
	CHECK(waitpid(pid, NULL, 0) == pid);
	close(fd);
	vde_close(c);
}

static void the_end_of_a_command_is_told_once(void)
{
	VDECONN *c = open_cmd("true");
	struct vde_frame f = { .data = tmp, .len = 1 };
	char buf[10];

	CHECK(is_readable(c, 5000) && vde_recv(c, buf, sizeof(buf), 0) == 0);
	CHECK(!is_readable(c, 0));
	CHECK(vde_recv(c, buf, sizeof(buf), 0) == 0);
	CHECK(vde_recv_batch(c, &f, 1) == 0);
	errno = 0;
	CHECK(vde_send(c, buf, sizeof(buf), 0) == -1 && errno == EPIPE);
	vde_close(c);
}

/* SIGPIPE would end this program. */
static void writing_to_a_dead_command_is_an_error_not_a_signal(void)
{
	VDECONN *c = open_cmd("true");
	char buf[60] = { 0 };
	ssize_t n = 0;

	CHECK(is_readable(c, 5000));
	for (int i = 0; i < 100 && n >= 0; i++)
		n = vde_send(c, buf, sizeof(buf), 0);
	CHECK(n == -1 && errno == EPIPE);
	vde_close(c);
}

static void a_command_that_cannot_run_is_an_error(void)
{
	errno = 0;
	CHECK(!open_cmd("no-such-command-at-all x") && errno == ENOENT);
	errno = 0;
	CHECK(!open_cmd("/dev/null") && errno == EACCES);
}

static volatile sig_atomic_t sigchlds;

static void on_sigchld(int sig)
{
	sigchlds++;
}

static void the_host_sees_no_child(void)
{
	struct sigaction sa = { .sa_handler = on_sigchld }, old;
	sigset_t before, after;
	VDECONN *c;
	char buf[10];

	sigaction(SIGCHLD, &sa, &old);
	sigprocmask(SIG_BLOCK, NULL, &before);
	c = open_cmd("true");
	CHECK(next_frame(c, buf, sizeof(buf)) == 0);
	errno = 0;
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	errno = 0;
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
	vde_close(c);
	CHECK(!open_cmd("no-such-command-at-all"));
	CHECK(sigchlds == 0);
	sigprocmask(SIG_BLOCK, NULL, &after);
	CHECK(!memcmp(&before, &after, sizeof(before)));
	sigaction(SIGCHLD, &old, NULL);
}

static unsigned long long hex_after(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p ? strtoull(p + strlen(key), NULL, 16) : ~0ULL;
}

static void a_command_starts_with_default_signals(void)
{
	char buf[1000];
	sigset_t set, old;
	VDECONN *c;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	c = open_cmd("grep -E '^Sig(Ign|Blk)' /proc/self/status >%s/sig", tmp);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	output_of(c, "sig", buf, sizeof(buf));
	/* Two signals are the C library's own and not for us to reset. */
	CHECK(hex_after(buf, "SigBlk:") == 0);
	CHECK((hex_after(buf, "SigIgn:") & ~0x180000000ULL) == 0);
	vde_close(c);
}

static void a_command_inherits_nothing_but_its_stream(void)
{
	int fd = fcntl(2, F_DUPFD, 77);
	char buf[1000];
	VDECONN *c = open_cmd("echo /proc/self/fd/* >%s/fds", tmp);

	output_of(c, "fds", buf, sizeof(buf));
	CHECK(strstr(buf, "/fd/0 ") && strstr(buf, "/fd/2"));
	CHECK(!strstr(buf, "/fd/77"));
	close(fd);
	vde_close(c);
}

static void closing_ends_the_command(void)
{
	char buf[20], path[100];
	int fd, fifo;
	VDECONN *c;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/pid", tmp);
	CHECK(mkfifo(path, 0600) == 0);
	c = open_cmd("echo $$ >%s; exec sleep 1000", path);
	fifo = open(path, O_RDONLY);
	buf[read(fifo, buf, sizeof(buf) - 1)] = '\0';
	pid = (pid_t)strtol(buf, NULL, 10);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	CHECK(pid > 1 && fd >= 0 && !wait_readable(fd, 0));
	vde_close(c);
	CHECK(wait_readable(fd, 5000));
	close(fd);
	close(fifo);
	unlink(path);
}

/* Fills the stream of a command that waits for a gate, then opens it: what
 * was taken must come back, whole and in order. With a small buffer the last
 * frame goes out in part. */
static void fill_and_drain(int sndbuf)
{
	uint8_t frame[9000], in[9300];
	int sent = 0, got = 0, fd;
	char path[100];
	VDECONN *c;

	snprintf(path, sizeof(path), "%s/gate", tmp);
	CHECK(mkfifo(path, 0600) == 0);
	c = open_cmd("read x <%s; exec cat", path);
	if (sndbuf)
		CHECK(setsockopt(vde_datafd(c), SOL_SOCKET, SO_SNDBUF, &sndbuf,
				 sizeof(sndbuf)) == 0);
	fd = open(path, O_WRONLY);
	for (; sent < 10000; sent++) {
		memset(frame, sent & 0xff, sizeof(frame));
		if (vde_send(c, frame, sizeof(frame), 0) < 0)
			break;
	}
	CHECK(errno == EAGAIN && sent > 0 && sent < 10000);
	CHECK(write(fd, "\n", 1) == 1);
	while (got < sent && next_frame(c, in, sizeof(in)) == 9000) {
		CHECK(in[0] == (got & 0xff) && in[8999] == (got & 0xff));
		got++;
	}
	CHECK(got == sent);
	close(fd);
	unlink(path);
	vde_close(c);
}

static void a_command_that_does_not_read_loses_no_taken_frame(void)
{
	fill_and_drain(0);
	fill_and_drain(3000);
}

static void batches_go_through_a_command(void)
{
	enum {
		N = 20
	};
	char out[N][100], in[N][100];
	struct vde_frame f[N];
	int got = 0, rc;
	VDECONN *c = open_cmd("cat");

	for (int i = 0; i < N; i++) {
		memset(out[i], i, sizeof(out[i]));
		f[i] = (struct vde_frame){ .data = out[i],
					   .len = 14 + (size_t)i };
	}
	CHECK(vde_recv_batch(c, f, N) == -EAGAIN);
	CHECK(vde_send_batch(c, f, N) == N);
	while (got < N && is_readable(c, 5000)) {
		for (int i = got; i < N; i++)
			f[i] = (struct vde_frame){ .data = in[i],
						   .len = sizeof(in[i]) };
		rc = vde_recv_batch(c, f + got, N - got);
		got += rc > 0 ? rc : 0;
	}
	CHECK(got == N);
	for (int i = 0; i < N; i++)
		CHECK(f[i].len == 14 + (size_t)i &&
		      !memcmp(f[i].data, out[i], f[i].len));
	vde_close(c);
}

int main(void)
{
	alarm(40);
	if (!mkdtemp(tmp) || setenv("PATH", "/usr/bin:/bin", 1) < 0)
		return 1;
	RUN(a_command_gets_frames_and_answers);
	RUN(too_long_a_frame_is_not_sent);
	RUN(the_descriptor_is_readable_for_every_frame);
	RUN(a_frame_may_come_byte_by_byte);
	RUN(lengths_that_cannot_be_are_skipped);
	RUN(the_end_of_a_command_is_told_once);
	RUN(writing_to_a_dead_command_is_an_error_not_a_signal);
	RUN(a_command_that_cannot_run_is_an_error);
	RUN(the_host_sees_no_child);
	RUN(a_command_starts_with_default_signals);
	RUN(a_command_inherits_nothing_but_its_stream);
	RUN(closing_ends_the_command);
	RUN(a_command_that_does_not_read_loses_no_taken_frame);
	RUN(batches_go_through_a_command);
	rmdir(tmp);
	DONE();
}
