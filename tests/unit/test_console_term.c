// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The session on descriptors 0 and 1, in a child process whose descriptors
 * are a file, pipes, sockets or a pseudo terminal. The child's exit status is
 * the number of "port/note" commands that ran.
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include "../unit/console_fixture.h"

#define PATIENCE 10 /* seconds; then the child is killed by SIGALRM */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static bool tell_ready; /* a byte on descriptor 2 */
static int n_ticks;

static void tick(struct loop_timer *t)
{
	n_ticks++;
	loop_timer_set(loop, t, 10 * LOOP_MS, tick);
}

/* In the child: exit status 200 if the loop was held up, else the count. */
static void serve(void)
{
	struct loop_timer t = { 0 };
	uint64_t start = now_ms(), expected;

	close_range(3, ~0U, 0); /* the other ends are the parent's alone */
	alarm(PATIENCE);
	fixture_open();
	loop_timer_set(loop, &t, 0, tick);
	if (console_stdin(console))
		_exit(201);
	if (tell_ready && write(2, "", 1) != 1)
		_exit(203);
	loop_run(loop);
	expected = (now_ms() - start) / 10;
	if (n_eof != 1 || n_gone != 1)
		_exit(202);
	if ((uint64_t)n_ticks + 30 < expected / 2)
		_exit(200);
	fixture_close();
	_exit(n_notes);
}

/* Starts a child on these descriptors, which are closed here. */
static pid_t start(int in, int out)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(in, 0);
		dup2(out, 1);
		serve();
	}
	close(in);
	if (out != in)
		close(out);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* All that comes from @fd, which is closed. */
static const char *read_all(int fd)
{
	static char buf[65536];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	close(fd);
	return buf;
}

/* Reads until @text has come; the rest of what came is forgotten. */
static bool read_until(int fd, const char *text)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	static char buf[16384];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(buf) - 1 && poll(&pfd, 1, 1000 * PATIENCE) > 0) {
		n = read(fd, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
		if (strstr(buf, text))
			return true;
	}
	buf[len] = '\0';
	printf("# got: \"%s\"\n# not: \"%s\"\n", buf, text);
	return false;
}

static void say(int fd, const char *text)
{
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

#define COMMANDS "port/note 1\n# c\n\nport/print\nlogout\nport/note 2"
#define REPLIES                                        \
	"1000 Success\n" BLOCK "Port 0001 ACTIVE\n.\n" \
	"1000 Success\n"                               \
	"1000 Success\n"

static void a_pipe_has_neither_greeting_nor_prompt(void)
{
	int in[2], out[2];
	pid_t pid;

	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	pid = start(in[0], out[1]);
	say(in[1], COMMANDS);
	close(in[1]);
	CHECK(!strcmp(read_all(out[0]), REPLIES));
	CHECK(status_of(pid) == 2);
}

static void a_file_is_read_to_its_end(void)
{
	char path[] = "/tmp/vde-test-term.XXXXXX";
	int in = mkostemp(path, O_CLOEXEC), out[2];
	pid_t pid;

	unlink(path);
	CHECK(!pipe2(out, O_CLOEXEC));
	for (int i = 0; i < 99; i++)
		say(in, "port/note 3 # with\n");
	for (int i = 0; i < 99; i++)
		say(in, "port/note 3\n");
	say(in, COMMANDS);
	lseek(in, 0, SEEK_SET);
	pid = start(in, out[1]);
	read_all(out[0]);
	CHECK(status_of(pid) == 101);
}

static void output_may_be_a_file(void)
{
	char path[] = "/tmp/vde-test-term.XXXXXX";
	int in[2], out = mkostemp(path, O_CLOEXEC), again;
	pid_t pid;

	again = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	CHECK(!pipe2(in, O_CLOEXEC));
	pid = start(in[0], out);
	say(in[1], COMMANDS);
	close(in[1]);
	CHECK(status_of(pid) == 2);
	CHECK(!strcmp(read_all(again), REPLIES));
}

static void dev_null_is_an_end_of_input(void)
{
	pid_t pid = start(open("/dev/null", O_RDONLY | O_CLOEXEC),
			  open("/dev/null", O_WRONLY | O_CLOEXEC));

	CHECK(status_of(pid) == 0);
}

static void a_socket_serves_both_ways(void)
{
	int sv[2];
	pid_t pid;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv));
	pid = start(sv[0], sv[0]);
	say(sv[1], "port/note 1\n");
	CHECK(read_until(sv[1], "1000 Success\n"));
	CHECK(!(fcntl(sv[1], F_GETFL) & O_NONBLOCK));
	close(sv[1]);
	CHECK(status_of(pid) == 1);
}

static void a_reader_that_has_gone_changes_nothing(void)
{
	int in[2], out[2];
	pid_t pid;

	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	close(out[0]);
	pid = start(in[0], out[1]);
	for (int i = 0; i < 20; i++)
		say(in[1], "port/note 1\nbig 100\n");
	close(in[1]);
	CHECK(status_of(pid) == 20);
}

/* The pipe holds 64 KiB; two replies of 100 kB are dropped, after a second
 * each, and the loop goes on all the time. */
static void a_reader_that_sleeps_loses_output_only(void)
{
	int in[2], out[2], flags;
	pid_t pid;

	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	pid = start(in[0], dup(out[1]));
	say(in[1], "big 1000\nport/note 1\nbig 1000\nport/note 2\n");
	close(in[1]);
	CHECK(status_of(pid) == 2);
	flags = fcntl(out[1], F_GETFL); /* shared with the child's */
	CHECK(flags >= 0 && !(flags & O_NONBLOCK));
	close(out[1]);
	close(out[0]);
}

static void a_slow_reader_gets_everything(void)
{
	static char buf[4096];
	const size_t expected = 20 * (strlen(BLOCK) + 100000 +
				      strlen(".\n1000 Success\n"));
	int in[2], out[2];
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	pid = start(in[0], out[1]);
	for (int i = 0; i < 20; i++)
		say(in[1], "big 1000\n");
	close(in[1]);
	while ((n = read(out[0], buf, sizeof(buf))) > 0)
		len += (size_t)n;
	CHECK(len == expected);
	CHECK(status_of(pid) == 0);
	close(out[0]);
}

/* What is left of a long listing is dropped with its first part. */
static void a_reader_that_sleeps_ends_a_listing(void)
{
	int in[2], out[2];
	pid_t pid;

	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	pid = start(in[0], dup(out[1]));
	say(in[1], "parts 1000000\nport/note 1\nparts 1000000\nport/note 2\n");
	close(in[1]);
	CHECK(status_of(pid) == 2);
	close(out[1]);
	close(out[0]);
}

/* Input that has come already waits for the end of the listing. */
static void a_listing_in_parts_is_complete(void)
{
	static char buf[65536];
	const size_t expected = 2 * (strlen(BLOCK) + 1000000 +
				     strlen(".\n1000 Success\n")) +
				strlen("1000 Success\n");
	int in[2], out[2];
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(out, O_CLOEXEC));
	pid = start(in[0], out[1]);
	say(in[1], "parts 10000\nport/note 1\n");
	n = read(out[0], buf, sizeof(buf));
	len += n > 0 ? (size_t)n : 0;
	say(in[1], "parts 10000"); /* until the end of the input */
	close(in[1]);
	while ((n = read(out[0], buf, sizeof(buf))) > 0)
		len += (size_t)n;
	CHECK(len == expected);
	CHECK(status_of(pid) == 1);
	close(out[0]);
}

/* ---- terminals ---- */

static void raw(int fd)
{
	struct termios t;

	CHECK(!tcgetattr(fd, &t));
	t.c_lflag &= ~(tcflag_t)ECHO;
	t.c_oflag &= ~(tcflag_t)OPOST;
	CHECK(!tcsetattr(fd, TCSANOW, &t));
}

static void a_terminal_has_a_prompt_and_keeps_its_flags(void)
{
	int master, slave, shared;
	pid_t pid;

	CHECK(!openpty(&master, &slave, NULL, NULL, NULL));
	raw(slave);
	shared = dup(slave);
	pid = start(slave, slave);
	CHECK(read_until(master, PROMPT));
	say(master, "port/note 1\n");
	CHECK(read_until(master, OK));
	say(master, "logout\n"); /* says nothing */
	CHECK(read_until(master, PROMPT));
	say(master, "port/note 3\n");
	CHECK(read_until(master, OK));
	CHECK(!(fcntl(shared, F_GETFL) & O_NONBLOCK));
	say(master, "\004"); /* Ctrl-D */
	CHECK(status_of(pid) == 2);
	close(shared);
	close(master);
}

static void the_prompt_stays_out_of_a_pipe(void)
{
	int master, slave, out[2];
	pid_t pid;

	CHECK(!openpty(&master, &slave, NULL, NULL, NULL));
	CHECK(!pipe2(out, O_CLOEXEC));
	raw(slave);
	pid = start(slave, out[1]);
	say(master, "port/note 1\n");
	CHECK(read_until(master, PROMPT PROMPT));
	say(master, "\004");
	CHECK(!strcmp(read_all(out[0]), "1000 Success\n"));
	CHECK(status_of(pid) == 1);
	close(master);
}

static void a_hang_up_is_an_end_of_input(void)
{
	int master, slave;
	pid_t pid;

	CHECK(!openpty(&master, &slave, NULL, NULL, NULL));
	raw(slave);
	pid = start(slave, slave);
	CHECK(read_until(master, PROMPT));
	close(master);
	CHECK(status_of(pid) == 0);
}

/* The leader of a session with a terminal, and a job in its background: what
 * is typed must not stop the job, and is its own once it is in front. */
static int background_job(int slave)
{
	int status, out[2], ready[2];
	char byte;
	pid_t job;

	alarm(PATIENCE);
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) || pipe(out) ||
	    pipe(ready))
		return 1;
	signal(SIGTTOU, SIG_IGN);
	job = fork();
	if (!job) {
		setpgid(0, 0);
		dup2(slave, 0);
		dup2(out[1], 1);
		dup2(ready[1], 2);
		tell_ready = true;
		serve();
	}
	setpgid(job, job);
	close(out[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return 2;
	poll(&(struct pollfd){ .fd = slave, .events = POLLIN }, 1, 5000);
	poll(NULL, 0, 50); /* that nothing happens takes some time */
	if (waitpid(job, &status, WUNTRACED | WNOHANG))
		return 3;
	if (tcsetpgrp(slave, job))
		return 4;
	if (!read_until(out[0], "1000 Success\n"))
		return 5;
	if (waitpid(job, &status, 0) != job || !WIFEXITED(status))
		return 6;
	return WEXITSTATUS(status) == 1 ? 0 : 7;
}

static void a_background_job_leaves_its_terminal_alone(void)
{
	int master, slave, status;
	pid_t pid;

	CHECK(!openpty(&master, &slave, NULL, NULL, NULL));
	raw(slave);
	say(master, "port/note 1\n");
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(background_job(slave));
	CHECK(read_until(master, PROMPT)); /* after its reply, not before */
	say(master, "\004");
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status)
		printf("# status %d\n", WEXITSTATUS(status));
	CHECK(status == 0);
	close(slave);
	close(master);
}

/* Somebody who types slowly in a terminal without line editing. */
static void a_half_line_on_a_terminal_waits_for_its_end(void)
{
	struct termios t;
	int master, slave;
	pid_t pid;

	CHECK(!openpty(&master, &slave, NULL, NULL, NULL));
	raw(slave);
	CHECK(!tcgetattr(slave, &t));
	t.c_lflag &= ~(tcflag_t)ICANON;
	CHECK(!tcsetattr(slave, TCSANOW, &t));
	pid = start(slave, slave);
	CHECK(read_until(master, PROMPT));
	say(master, "port/note");
	poll(&(struct pollfd){ .fd = master, .events = POLLIN }, 1, 200);
	say(master, " 1\n");
	CHECK(read_until(master, "1000 Success\n"));
	close(master);
	CHECK(status_of(pid) == 1);
}

int main(void)
{
	log_open("test", LOG_ERR);
	RUN(a_pipe_has_neither_greeting_nor_prompt);
	RUN(a_file_is_read_to_its_end);
	RUN(output_may_be_a_file);
	RUN(dev_null_is_an_end_of_input);
	RUN(a_socket_serves_both_ways);
	RUN(a_reader_that_has_gone_changes_nothing);
	RUN(a_reader_that_sleeps_loses_output_only);
	RUN(a_slow_reader_gets_everything);
	RUN(a_reader_that_sleeps_ends_a_listing);
	RUN(a_listing_in_parts_is_complete);
	RUN(a_terminal_has_a_prompt_and_keeps_its_flags);
	RUN(the_prompt_stays_out_of_a_pipe);
	RUN(a_hang_up_is_an_end_of_input);
	RUN(a_background_job_leaves_its_terminal_alone);
	RUN(a_half_line_on_a_terminal_waits_for_its_end);
	DONE();
}
