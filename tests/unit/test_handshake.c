// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connecting to a switch, against one that a child process plays: the very
 * bytes of the request, the answers that a switch must not give, and where
 * the default switch is looked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "base/ringmap.h"
#include "base/wire.h"
#include "lib/libvdeplug.h"

static char tmp[] = "/tmp/vde-hand.XXXXXX";

/* What the switch does with a request. */
enum answer {
	ACCEPT,
	ACCEPT_SLOWLY,
	DRIP,
	ELSEWHERE,
	HANG_UP,
	GARBAGE,
	SHORT,
	NOWHERE
};

/* And before, with one for rings. */
enum ring_answer {
	OLD_SWITCH, /* its name does not tell that it has rings */
	NO_ANSWER, /* hangs up */
	NO_RINGS,
	REFUSED,
	NONSENSE,
	NO_MEMORY, /* descriptors of which the first is no memory */
	RINGS
};

struct seen {
	ssize_t ring_len;
	uint8_t ring_msg[WIRE_REQ_MAX + 1];
	ssize_t len;
	uint8_t msg[WIRE_REQ_MAX + 1];
	mode_t mode; /* of the client's socket when it asked */
	bool gone; /* that socket's file, when the connection stood */
	mode_t own_mode; /* of the switch's socket in the end */
};

struct fake {
	pid_t pid;
	int report;
	char dir[64];
};

static void in_tmp(char *buf, size_t size, const char *name)
{
	snprintf(buf, size, "%s/%s", tmp, name);
}

static struct sockaddr_un unix_addr(const char *dir, const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", dir, name);
	return sa;
}

static int listen_on(const char *dir, const char *name)
{
	struct sockaddr_un sa = unix_addr(dir, name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, 5) < 0)
		_exit(9);
	return fd;
}

static int data_socket(const char *dir, const struct sockaddr_un *client,
		       struct sockaddr_un *own)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	*own = unix_addr(dir, "001.7");
	if (bind(fd, (struct sockaddr *)own, sizeof(*own)) < 0 ||
	    connect(fd, (const struct sockaddr *)client, sizeof(*client)) < 0)
		_exit(8);
	return fd;
}

static void send_answer(int conn, uint32_t status, const int *fds)
{
	struct wire_answer a = { .magic = WIRE_MAGIC,
				 .version = WIRE_VERSION_RING,
				 .status = status,
				 .ring_size = RING_MIN_SIZE,
				 .max_len = 9234 };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(WIRE_N_FDS * sizeof(int))];
	} ctl = { 0 };
	struct iovec iov = { &a, sizeof(a) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fds) {
		msg.msg_control = ctl.room;
		msg.msg_controllen = sizeof(ctl.room);
		ctl.align.cmsg_level = SOL_SOCKET;
		ctl.align.cmsg_type = SCM_RIGHTS;
		ctl.align.cmsg_len = CMSG_LEN(WIRE_N_FDS * sizeof(int));
		memcpy(CMSG_DATA(&ctl.align), fds, WIRE_N_FDS * sizeof(int));
	}
	sendmsg(conn, &msg, MSG_NOSIGNAL);
}

/* Rings that nobody serves. */
static void grant_rings(int conn, bool usable)
{
	int fds[WIRE_N_FDS], sv[2];

	for (int i = 0; i < WIRE_N_FDS; i++) {
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) < 0)
			_exit(7);
		fds[i] = sv[0];
	}
	if (usable)
		fds[WIRE_FD_MEMORY] = ringmap_create(RING_MIN_SIZE);
	send_answer(conn, 0, fds);
}

static void answer_ring(int conn, enum ring_answer what)
{
	char junk[WIRE_SOCKADDR_LEN] = { 1 };

	if (what == NO_RINGS || what == REFUSED)
		send_answer(conn, what == REFUSED ? EACCES : EOPNOTSUPP, NULL);
	if (what == NONSENSE)
		send(conn, junk, sizeof(junk), 0);
	if (what == NO_MEMORY)
		grant_rings(conn, false);
	if (what == RINGS) {
		usleep(400000);
		grant_rings(conn, true);
		recv(conn, junk, sizeof(junk), 0);
	}
	close(conn);
}

/* Echoes frames until the client hangs up. */
static void serve(int conn, int data, struct seen *seen,
		  const struct sockaddr_un *client)
{
	struct pollfd pfd[] = { { .fd = conn, .events = POLLIN },
				{ .fd = data, .events = POLLIN } };
	char buf[2000];
	struct stat st;
	ssize_t n;

	while (poll(pfd, 2, -1) > 0 && !pfd[0].revents) {
		n = recv(data, buf, sizeof(buf), 0);
		seen->gone = stat(client->sun_path, &st) < 0;
		if (n > 0)
			send(data, buf, (size_t)n, 0);
	}
}

/* A byte at a time, and the last one long after everybody's patience. */
static void drip(int conn, const struct sockaddr_un *own)
{
	const char *p = (const char *)own;

	for (size_t i = 0; i < sizeof(*own); i++) {
		if (send(conn, p + i, 1, MSG_NOSIGNAL) < 0)
			return;
		usleep(100000);
	}
}

static void answer(int conn, const char *dir, enum answer what,
		   struct seen *seen)
{
	struct sockaddr_un client, own;
	struct stat st;
	int data;

	memcpy(&client, seen->msg + 12, sizeof(client));
	if (stat(client.sun_path, &st) == 0)
		seen->mode = st.st_mode & 07777;
	if (what == HANG_UP)
		return;
	data = data_socket(what == ELSEWHERE ? tmp : dir, &client, &own);
	if (what == ELSEWHERE)
		chmod(own.sun_path, 0666);
	if (what == DRIP) {
		drip(conn, &own);
		return;
	}
	if (what == GARBAGE)
		memset(&own, 'x', sizeof(own));
	if (what == NOWHERE)
		own.sun_path[strlen(own.sun_path) - 1] = 'x';
	if (what == ACCEPT_SLOWLY) {
		send(conn, &own, 50, 0);
		usleep(20000);
		send(conn, (char *)&own + 50, sizeof(own) - 50, 0);
	} else {
		send(conn, &own, what == SHORT ? 50 : sizeof(own), 0);
	}
	if (what != ACCEPT && what != ACCEPT_SLOWLY && what != ELSEWHERE)
		return;
	serve(conn, data, seen, &client);
	if (stat(own.sun_path, &st) == 0)
		seen->own_mode = st.st_mode & 07777;
	unlink(own.sun_path);
}

/* One connection for rings and, if need be, one for datagrams. */
static void play(const struct fake *f, int lfd, enum ring_answer rings,
		 enum answer what, struct seen *seen)
{
	int conn = accept(lfd, NULL, NULL);

	if (rings != OLD_SWITCH) {
		seen->ring_len = recv(conn, seen->ring_msg,
				      sizeof(seen->ring_msg), 0);
		answer_ring(conn, rings);
		if (rings == REFUSED || rings == RINGS)
			return;
		conn = accept(lfd, NULL, NULL);
	}
	seen->len = recv(conn, seen->msg, sizeof(seen->msg), 0);
	answer(conn, f->dir, what, seen);
}

/* A switch in directory @name with socket @ctl, for one client. */
static void start_new(struct fake *f, const char *name, const char *ctl,
		      enum ring_answer rings, enum answer what)
{
	struct seen seen = { 0 };
	char path[40];
	int fd[2], lfd;

	in_tmp(f->dir, sizeof(f->dir), name);
	mkdir(f->dir, 0700);
	snprintf(path, sizeof(path), "%s%s", rings == OLD_SWITCH ? "" : "./",
		 ctl);
	lfd = listen_on(f->dir, path);
	CHECK(pipe(fd) == 0);
	f->report = fd[0];
	f->pid = fork();
	if (f->pid == 0) {
		alarm(20);
		play(f, lfd, rings, what, &seen);
		_exit(write(fd[1], &seen, sizeof(seen)) != sizeof(seen));
	}
	close(fd[1]);
	close(lfd);
}

/* VDE 2's. */
static void start(struct fake *f, const char *name, const char *ctl,
		  enum answer what)
{
	start_new(f, name, ctl, OLD_SWITCH, what);
}

/* Nothing of the client's may be left in the directory. */
static void clean(const struct fake *f, const char *ctl)
{
	struct sockaddr_un sa = unix_addr(f->dir, ctl);

	close(f->report);
	unlink(sa.sun_path);
	sa = unix_addr(f->dir, "001.7");
	unlink(sa.sun_path);
	CHECK(rmdir(f->dir) == 0);
}

static void finish(struct fake *f, const char *ctl, struct seen *seen)
{
	int status;

	CHECK(read(f->report, seen, sizeof(*seen)) == sizeof(*seen));
	CHECK(waitpid(f->pid, &status, 0) == f->pid && status == 0);
	clean(f, ctl);
}

static VDECONN *open_in(const char *dir, const char *options,
			struct vde_open_args *args)
{
	char url[200], descr[] = "the test", copy[200];
	VDECONN *c;
	int e;

	snprintf(url, sizeof(url), "%s%s", dir, options);
	memcpy(copy, url, sizeof(copy));
	errno = 0;
	c = vde_open(url, descr, args);
	e = errno;
	CHECK(!memcmp(copy, url, sizeof(copy)));
	errno = e;
	return c;
}

static bool echoes(VDECONN *c)
{
	struct pollfd pfd = { .fd = vde_datafd(c), .events = POLLIN };
	char out[60], in[100];

	memset(out, 5, sizeof(out));
	return vde_send(c, out, sizeof(out), 0) == 60 &&
	       poll(&pfd, 1, 3000) == 1 &&
	       vde_recv(c, in, sizeof(in), 0) == 60 && !memcmp(in, out, 60);
}

static uint32_t type_word(const struct seen *s)
{
	uint32_t v;

	memcpy(&v, s->msg + 8, sizeof(v));
	return v;
}

/* Connects with @options and @args; what the switch was asked is in @seen. */
static bool asks(const char *options, struct vde_open_args *args,
		 struct seen *seen)
{
	struct fake f;
	VDECONN *c;
	bool ok;

	start(&f, "sw", "ctl", ACCEPT);
	c = open_in(f.dir, options, args);
	ok = c && echoes(c);
	if (!ok)
		printf("# %s: %s\n", options, strerror(errno));
	if (c)
		vde_close(c);
	else
		kill(f.pid, SIGKILL);
	finish(&f, "ctl", seen);
	return ok;
}

static void rings_are_asked_for_first(void)
{
	static const uint32_t head[] = { WIRE_MAGIC, 4, 5 << 8, 0, 0, 9234 };
	char want[200];
	struct fake f;
	struct seen s;
	VDECONN *c;

	unsetenv("SSH_CLIENT");
	snprintf(want, sizeof(want), "the test user=%s pid=%d",
		 getpwuid(geteuid())->pw_name, (int)getpid());
	start_new(&f, "sw", "ctl", NO_RINGS, ACCEPT);
	c = open_in(f.dir, "[5]", NULL);
	CHECK(c && echoes(c));
	vde_close(c);
	finish(&f, "ctl", &s);
	CHECK(s.ring_len == (ssize_t)(32 + strlen(want)));
	CHECK(!memcmp(s.ring_msg, head, sizeof(head)));
	CHECK(!memcmp(s.ring_msg + 32, want, strlen(want)));
}

static void the_request_is_version_3(void)
{
	static const uint8_t head[] = { 0xce, 0xfa, 0xed, 0xfe, 3, 0, 0,
					0,    0,    0,	  0,	0, 1, 0 };
	char want[200];
	struct seen s;

	unsetenv("SSH_CLIENT");
	snprintf(want, sizeof(want), "the test user=%s pid=%d",
		 getpwuid(geteuid())->pw_name, (int)getpid());
	CHECK(asks("", NULL, &s));
	CHECK(s.len == (ssize_t)(122 + strlen(want)));
	CHECK(!memcmp(s.msg, head, sizeof(head)));
	CHECK(!memcmp(s.msg + 122, want, strlen(want)));
	snprintf(want, sizeof(want), "%s/sw/.%05d-00000", tmp, (int)getpid());
	CHECK(!strcmp((char *)s.msg + 14, want));
	CHECK(s.mode == 0700 && s.own_mode == 0700 && s.gone);
}

static void where_the_user_came_from_is_told(void)
{
	static const char tail[] = " SSH=10.1.2.3";
	struct seen s;
	size_t n = sizeof(tail) - 1;

	setenv("SSH_CLIENT", "10.1.2.3 5555 22", 1);
	CHECK(asks("", NULL, &s));
	CHECK(!memcmp(s.msg + s.len - n, tail, n));
	setenv("SSH_CLIENT",
	       "0123456789012345678901234567890123456789"
	       "0123456789012345678901234567890123456789"
	       "0123456789012345678901234567890123456789",
	       1);
	CHECK(asks("", NULL, &s));
	CHECK(s.len == 122 + 127);
	unsetenv("SSH_CLIENT");
}

static void ports_are_asked_for_by_number(void)
{
	struct vde_open_args five = { .port = 5 }, minus = { .port = -1 };
	struct seen s;

	CHECK(asks("", &five, &s) && type_word(&s) == 5 << 8);
	CHECK(asks("[7]", &five, &s) && type_word(&s) == 7 << 8);
	CHECK(asks("[port=8]", NULL, &s) && type_word(&s) == 8 << 8);
	CHECK(asks("[0]", NULL, &s) && type_word(&s) == 1);
	CHECK(asks("", &minus, &s) && type_word(&s) == 1);
	CHECK(asks("[]", NULL, &s) && type_word(&s) == 0);
	CHECK(asks("[group-of-ports]", NULL, &s) && type_word(&s) == 0);
}

static void modes_come_from_the_locator_first(void)
{
	struct vde_open_args args = { .mode = 0770 };
	struct seen s;

	CHECK(asks("", &args, &s) && s.mode == 0770 && s.own_mode == 0770);
	CHECK(asks("[mode=660]", &args, &s) && s.mode == 0660);
	CHECK(asks("[m=600/p=3]", NULL, &s) && s.mode == 0600);
	args.mode = 0;
	CHECK(asks("", &args, &s) && s.mode == 0700);
}

static void a_port_group_has_a_socket_of_its_own(void)
{
	struct fake f;
	struct seen s;
	VDECONN *c;

	start(&f, "sw", "red", ACCEPT);
	c = open_in(f.dir, "[red]", NULL);
	CHECK(c && echoes(c));
	vde_close(c);
	finish(&f, "red", &s);
	CHECK(type_word(&s) == 0);
}

static void the_control_socket_itself_may_be_named(void)
{
	struct fake f;
	struct seen s;
	VDECONN *c;

	start(&f, "sw", "any", ACCEPT);
	c = open_in(f.dir, "/any", NULL);
	CHECK(c && echoes(c));
	vde_close(c);
	finish(&f, "any", &s);
}

static void what_exists_is_meant_literally(void)
{
	struct fake f;
	struct seen s;
	VDECONN *c;

	start(&f, "it's [3]", "ctl", ACCEPT);
	c = open_in(f.dir, "", NULL);
	CHECK(c && echoes(c));
	vde_close(c);
	finish(&f, "ctl", &s);
	CHECK(type_word(&s) == 0);
}

static void an_answer_may_come_in_pieces(void)
{
	struct fake f;
	struct seen s;
	VDECONN *c;

	start(&f, "sw", "ctl", ACCEPT_SLOWLY);
	c = open_in(f.dir, "", NULL);
	CHECK(c && echoes(c));
	vde_close(c);
	finish(&f, "ctl", &s);
}

static void refusals_can_be_told_apart(void)
{
	static const struct {
		const char *options;
		enum answer answer;
		int error;
	} cases[] = {
		{ "", HANG_UP, ECONNRESET }, { "[3]", HANG_UP, EBUSY },
		{ "[0]", HANG_UP, EBUSY },   { "", SHORT, ECONNRESET },
		{ "", GARBAGE, EPROTO },     { "", NOWHERE, ENOENT },
	};
	struct fake f;
	struct seen s;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start(&f, "sw", "ctl", cases[i].answer);
		if (open_in(f.dir, cases[i].options, NULL) ||
		    errno != cases[i].error) {
			printf("# case %zu: %s\n", i, strerror(errno));
			test_failed = 1;
		}
		finish(&f, "ctl", &s);
	}
}

static int64_t now_ms(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return tv.tv_sec * INT64_C(1000) + tv.tv_usec / 1000;
}

static void without_rings_there_are_datagrams_soon(void)
{
	static const enum ring_answer answers[] = { NO_ANSWER, NO_RINGS,
						    NONSENSE, NO_MEMORY };
	struct fake f;
	struct seen s;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		int64_t from = now_ms();
		VDECONN *c;

		start_new(&f, "sw", "ctl", answers[i], ACCEPT);
		c = open_in(f.dir, "", NULL);
		CHECK(now_ms() - from < 2000);
		CHECK(c && echoes(c));
		if (c)
			vde_close(c);
		finish(&f, "ctl", &s);
	}
}

static void a_slow_switch_still_gives_rings(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sa);
	struct fake f;
	struct seen s;
	VDECONN *c;

	start_new(&f, "sw", "ctl", RINGS, ACCEPT);
	c = open_in(f.dir, "", NULL);
	CHECK(c && !getpeername(vde_datafd(c), (struct sockaddr *)&sa, &len));
	CHECK(!sa.sun_path[0]);
	vde_close(c);
	finish(&f, "ctl", &s);
	CHECK(s.ring_len > 0 && !s.len);
}

/* VDE 2's cannot count connections that come and go. */
static void an_old_switch_sees_one_connection(void)
{
	struct seen s;

	CHECK(asks("", NULL, &s));
	CHECK(!s.ring_len && s.len > 122 && s.msg[4] == WIRE_VERSION);
}

static void one_transport_may_be_insisted_on(void)
{
	struct fake f;
	struct seen s;
	VDECONN *c;

	start_new(&f, "sw", "ctl", RINGS, ACCEPT);
	c = open_in(f.dir, "[transport=ring]", NULL);
	CHECK(c);
	vde_close(c);
	finish(&f, "ctl", &s);
	CHECK(s.ring_len > 0 && !s.len);
	start_new(&f, "sw", "ctl", REFUSED, ACCEPT); /* it is read as rings */
	CHECK(!open_in(f.dir, "[transport=dgram]", NULL));
	finish(&f, "ctl", &s);
	CHECK(s.ring_len > 122 && s.ring_msg[4] == WIRE_VERSION);
	setenv("VDE_TRANSPORT", "ring", 1);
	start_new(&f, "sw", "ctl", NO_RINGS, HANG_UP);
	CHECK(!open_in(f.dir, "", NULL) && errno == EOPNOTSUPP);
	kill(f.pid, SIGKILL);
	CHECK(waitpid(f.pid, NULL, 0) == f.pid);
	clean(&f, "ctl");
	setenv("VDE_TRANSPORT", "pigeon", 1);
	CHECK(!open_in(tmp, "", NULL) && errno == EINVAL);
	unsetenv("VDE_TRANSPORT");
	CHECK(!open_in(tmp, "[transport=pigeon]", NULL) && errno == EINVAL);
}

static void a_refusal_of_rings_is_that_of_datagrams(void)
{
	static const struct {
		const char *options;
		int error;
	} cases[] = {
		{ "", ECONNRESET },
		{ "[3]", EBUSY },
		{ "[0]", EBUSY },
		{ "[3/transport=ring]", EBUSY },
	};
	struct fake f;
	struct seen s;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start_new(&f, "sw", "ctl", REFUSED, ACCEPT);
		CHECK(!open_in(f.dir, cases[i].options, NULL) &&
		      errno == cases[i].error);
		finish(&f, "ctl", &s);
		CHECK(!s.len);
	}
}

static void a_switch_that_has_died_is_told(void)
{
	char dir[64], sock[80];

	in_tmp(dir, sizeof(dir), "dead");
	snprintf(sock, sizeof(sock), "%s/ctl", dir);
	CHECK(mkdir(dir, 0700) == 0);
	CHECK(!open_in(dir, "", NULL) && errno == ENOENT);
	close(listen_on(dir, "ctl"));
	CHECK(!open_in(dir, "", NULL) && errno == ECONNREFUSED);
	unlink(sock);
	rmdir(dir);
}

static void a_switch_that_is_silent_is_given_up(void)
{
	struct timeval from, to;
	char dir[64], sock[80];
	int fd;

	in_tmp(dir, sizeof(dir), "mute");
	snprintf(sock, sizeof(sock), "%s/ctl", dir);
	CHECK(mkdir(dir, 0700) == 0);
	fd = listen_on(dir, "ctl");
	gettimeofday(&from, NULL);
	CHECK(!open_in(dir, "", NULL) && errno == ETIMEDOUT);
	gettimeofday(&to, NULL);
	CHECK(to.tv_sec - from.tv_sec >= 4 && to.tv_sec - from.tv_sec <= 7);
	close(fd);
	unlink(sock);
	CHECK(rmdir(dir) == 0);
}

static void a_switch_that_dribbles_is_given_up(void)
{
	struct timeval from, to;
	struct fake f;
	struct seen s;

	start(&f, "sw", "ctl", DRIP);
	gettimeofday(&from, NULL);
	CHECK(!open_in(f.dir, "", NULL) && errno == ETIMEDOUT);
	gettimeofday(&to, NULL);
	CHECK(to.tv_sec - from.tv_sec <= 7);
	finish(&f, "ctl", &s);
}

/* It could be the system log's, and we root. */
static void a_socket_outside_the_directory_keeps_its_mode(void)
{
	struct fake f;
	struct seen s;
	VDECONN *c;

	start(&f, "sw", "ctl", ELSEWHERE);
	c = open_in(f.dir, "", NULL);
	CHECK(c && echoes(c));
	vde_close(c);
	finish(&f, "ctl", &s);
	CHECK(s.own_mode == 0666);
}

static void the_control_descriptor_tells_the_end(void)
{
	struct pollfd pfd = { .events = POLLIN };
	struct fake f;
	VDECONN *c;

	start(&f, "sw", "ctl", ACCEPT);
	c = open_in(f.dir, "", NULL);
	CHECK(c && echoes(c));
	pfd.fd = vde_ctlfd(c);
	CHECK(poll(&pfd, 1, 0) == 0);
	kill(f.pid, SIGKILL);
	CHECK(poll(&pfd, 1, 3000) == 1 && pfd.revents & POLLHUP);
	CHECK(vde_send(c, tmp, 14, 0) == -1 && errno == ECONNREFUSED);
	vde_close(c);
	CHECK(waitpid(f.pid, NULL, 0) == f.pid);
	clean(&f, "ctl");
}

/* --- the default switch --- */

static void put(const char *dir, const char *name, const char *text)
{
	char path[160];
	int fd;

	in_tmp(path, sizeof(path), dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%s", tmp, dir, name);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void take_away(const char *dir, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s/%s", tmp, dir, name);
	unlink(path);
	in_tmp(path, sizeof(path), dir);
	rmdir(path);
}

static void finds_it(const char *url, uint32_t type)
{
	struct fake f;
	struct seen s;
	VDECONN *c;

	start(&f, "sw", "ctl", ACCEPT);
	c = open_in("", url, NULL);
	CHECK(c && echoes(c));
	if (c)
		vde_close(c);
	else
		kill(f.pid, SIGKILL);
	finish(&f, "ctl", &s);
	CHECK(type_word(&s) == type);
}

static void a_file_in_the_home_directory_names_the_default(void)
{
	static const char *const files[][2] = {
		{ ".vdeplug", "default" },
		{ ".vde2", "default.switch" },
		{ ".vde2", "stdsock" },
	};
	char line[200];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(line, sizeof(line), "vde://%s/sw[4] \nnonsense\n",
			 tmp);
		put(files[i][0], files[i][1], line);
		finds_it("", 4 << 8);
		finds_it("vde://", 4 << 8);
		finds_it("[6]", 6 << 8);
		take_away(files[i][0], files[i][1]);
	}
}

static void a_link_in_the_home_directory_is_the_default(void)
{
	char target[64], path[100];

	in_tmp(path, sizeof(path), ".vde2");
	mkdir(path, 0700);
	in_tmp(path, sizeof(path), ".vde2/default.switch");
	in_tmp(target, sizeof(target), "sw");
	CHECK(symlink(target, path) == 0);
	finds_it("", 0);
	finds_it("[6]", 6 << 8);
	take_away(".vde2", "default.switch");
}

static void the_newer_default_wins(void)
{
	char line[200];

	snprintf(line, sizeof(line), "%s/sw\n", tmp);
	put(".vde2", "default.switch", "/nonexistent");
	put(".vdeplug", "default", line);
	finds_it("", 0);
	take_away(".vdeplug", "default");
	CHECK(!open_in("", "", NULL) && errno == ENOENT);
	take_away(".vde2", "default.switch");
}

static void a_default_may_be_of_any_module(void)
{
	VDECONN *c;

	put(".vdeplug", "default", "null://\n");
	c = open_in("", "", NULL);
	CHECK(c && vde_ctlfd(c) == -1);
	vde_close(c);
	CHECK(!open_in("", "[3]", NULL) && errno == EINVAL);
	put(".vdeplug", "default", "\n");
	CHECK(!open_in("", "", NULL) && errno == EINVAL);
	take_away(".vdeplug", "default");
}

static void any_file_may_hold_a_locator(void)
{
	char line[200], path[100];
	VDECONN *c;

	put("dir", "file", "null://");
	in_tmp(path, sizeof(path), "dir/file");
	c = open_in(path, "", NULL);
	CHECK(c && vde_close(c) == 0);
	snprintf(line, sizeof(line), "%s\n", path);
	put("dir", "file", line);
	CHECK(!open_in(path, "", NULL) && errno == ENOTDIR);
	take_away("dir", "file");
}

int main(void)
{
	alarm(50);
	if (!mkdtemp(tmp) || setenv("HOME", tmp, 1) < 0)
		return 1;
	umask(022);
	RUN(rings_are_asked_for_first);
	RUN(the_request_is_version_3);
	RUN(where_the_user_came_from_is_told);
	RUN(ports_are_asked_for_by_number);
	RUN(modes_come_from_the_locator_first);
	RUN(a_port_group_has_a_socket_of_its_own);
	RUN(the_control_socket_itself_may_be_named);
	RUN(what_exists_is_meant_literally);
	RUN(an_answer_may_come_in_pieces);
	RUN(refusals_can_be_told_apart);
	RUN(without_rings_there_are_datagrams_soon);
	RUN(a_slow_switch_still_gives_rings);
	RUN(an_old_switch_sees_one_connection);
	RUN(one_transport_may_be_insisted_on);
	RUN(a_refusal_of_rings_is_that_of_datagrams);
	RUN(a_switch_that_has_died_is_told);
	RUN(a_switch_that_is_silent_is_given_up);
	RUN(a_switch_that_dribbles_is_given_up);
	RUN(a_socket_outside_the_directory_keeps_its_mode);
	RUN(the_control_descriptor_tells_the_end);
	RUN(a_file_in_the_home_directory_names_the_default);
	RUN(a_link_in_the_home_directory_is_the_default);
	RUN(the_newer_default_wins);
	RUN(a_default_may_be_of_any_module);
	RUN(any_file_may_hold_a_locator);
	if (rmdir(tmp) < 0) {
		printf("# %s is not empty\n", tmp);
		return 1;
	}
	DONE();
}
