// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections without a switch: cables, null, inherited sockets, misuse. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "lib/batch.h"
#include "lib/libvdeplug.h"

static char tmp[] = "/tmp/vde-conn.XXXXXX";

static VDECONN *open_url(const char *module, const char *address)
{
	char url[300], descr[] = "test";

	snprintf(url, sizeof(url), "%s%s", module, address);
	return vde_open(url, descr, NULL);
}

static bool is_readable(VDECONN *c, int ms)
{
	struct pollfd pfd = { .fd = vde_datafd(c), .events = POLLIN };

	return poll(&pfd, 1, ms) > 0;
}

static bool is_writable(VDECONN *c)
{
	struct pollfd pfd = { .fd = vde_datafd(c), .events = POLLOUT };

	return poll(&pfd, 1, 0) > 0 && pfd.revents & POLLOUT;
}

static bool carries(VDECONN *from, VDECONN *to, int mark)
{
	uint8_t out[1514], in[2000];
	size_t len = 60 + (size_t)mark;

	memset(out, mark, sizeof(out));
	if (vde_send(from, out, len, 0) != (ssize_t)len)
		return false;
	return is_readable(to, 2000) &&
	       vde_recv(to, in, sizeof(in), 0) == (ssize_t)len &&
	       !memcmp(in, out, len) && !is_readable(to, 0);
}

static void no_connection_is_a_bad_descriptor(void)
{
	char buf[10];
	short events;

	errno = 0;
	CHECK(vde_recv(NULL, buf, 10, 0) == -1 && errno == EBADF);
	errno = 0;
	CHECK(vde_send(NULL, buf, 10, 0) == -1 && errno == EBADF);
	errno = 0;
	CHECK(vde_datafd(NULL) == -1 && errno == EBADF);
	errno = 0;
	CHECK(vde_ctlfd(NULL) == -1 && errno == EBADF);
	errno = 0;
	CHECK(vde_close(NULL) == -1 && errno == EBADF);
	CHECK(vde_recv_batch(NULL, NULL, 1) == -EBADF);
	CHECK(vde_send_batch(NULL, NULL, 1) == -EBADF);
	CHECK(vde_sendfd(NULL, &events) == -EBADF && !vde_offloads(NULL));
}

static void the_version_counts_only_with_arguments(void)
{
	struct vde_open_args args = { 0 };
	char url[] = "null://", descr[] = "d";
	VDECONN *c;

	errno = 0;
	CHECK(!vde_open_real(url, descr, 2, &args) && errno == EINVAL);
	errno = 0;
	CHECK(!vde_open_real(url, descr, 0, &args) && errno == EINVAL);
	c = vde_open_real(url, descr, 1, &args);
	CHECK(c && vde_close(c) == 0);
	c = vde_open_real(url, NULL, 99, NULL);
	CHECK(c && vde_close(c) == 0);
}

static void what_cannot_be_opened_says_why(void)
{
	static const struct {
		const char *url;
		int error;
	} cases[] = {
		{ "nosuchmodule://x", EPROTONOSUPPORT },
		{ "://x", EINVAL },
		{ "/nonexistent/sw", ENOENT },
		{ "/nonexistent/sw[3]", ENOENT },
		{ "/nonexistent/sw[unknown=1]", EINVAL },
		{ "/nonexistent/sw[mode=8]", EINVAL },
		{ "/nonexistent/sw[99999999]", EINVAL },
		{ "/nonexistent/sw[group=nosuchgroup]", EINVAL },
		{ "vde:///dev/null", ENOTDIR },
		{ "ptp:///nonexistent/x", ENOENT },
		{ "ptp://", EINVAL },
		{ "udp://1", EINVAL },
		{ "tap://abcdefghijklmnop", EINVAL },
		{ "seqpacket://x", EINVAL },
		{ "seqpacket://-1", EINVAL },
		{ "seqpacket://999", EBADF },
		{ "cmd://", EINVAL },
		{ "cmd://   ", EINVAL },
		{ "cmd:///nonexistent/command arg", ENOENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		errno = 0;
		if (open_url("", cases[i].url) || errno != cases[i].error) {
			printf("# %s: %s\n", cases[i].url, strerror(errno));
			test_failed = 1;
		}
	}
}

static void null_takes_everything_and_has_nothing(void)
{
	VDECONN *c = open_url("null://", "");
	struct vde_frame f = { .data = tmp, .len = 5 };

	CHECK(c && vde_send(c, "frame", 5, 0) == 5);
	CHECK(vde_ctlfd(c) == -1);
	CHECK(!is_readable(c, 0) && is_writable(c));
	CHECK(vde_send_batch(c, &f, 1) == 1);
	CHECK(vde_recv_batch(c, &f, 1) == -EAGAIN);
	CHECK(vde_close(c) == 0);
}

static void descriptors_are_closed_on_exec_and_by_close(void)
{
	VDECONN *c = open_url("null://", "");
	int fd = vde_datafd(c);

	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	vde_close(c);
	CHECK(fcntl(fd, F_GETFD) == -1);
}

static void an_inherited_socket_is_used_as_it_is(void)
{
	char url[40], buf[10];
	struct vde_frame f = { .data = buf, .len = sizeof(buf) };
	VDECONN *c;
	int sv[2];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) == 0);
	snprintf(url, sizeof(url), "0x%x", (unsigned int)sv[0]);
	c = open_url("seqpacket://", url);
	CHECK(c && vde_datafd(c) == sv[0] && vde_ctlfd(c) == -1);
	CHECK(vde_send(c, "abc", 3, 0) == 3 && vde_send(c, "", 0, 0) == 0);
	CHECK(recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT) == 3);
	CHECK(recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT) == -1);
	CHECK(send(sv[1], "hello", 5, 0) == 5);
	CHECK(vde_recv(c, buf, 4, 0) == 4 && !memcmp(buf, "hell", 4));
	CHECK(vde_recv_batch(c, &f, 1) == -EAGAIN);
	close(sv[1]);
	CHECK(vde_recv(c, buf, sizeof(buf), 0) == 0);
	CHECK(vde_recv_batch(c, &f, 1) == 0);
	errno = 0;
	CHECK(vde_send(c, "abc", 3, 0) == -1 && errno == EPIPE);
	vde_close(c);
	CHECK(fcntl(sv[0], F_GETFD) == -1);
}

static void a_stream_socket_keeps_no_frames_apart(void)
{
	char url[20];
	int sv[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
	snprintf(url, sizeof(url), "%d", sv[0]);
	errno = 0;
	CHECK(!open_url("seqpacket://", url) && errno == EPROTOTYPE);
	CHECK(fcntl(sv[0], F_GETFD) >= 0);
	close(sv[0]);
	close(sv[1]);
}

/* --- udp --- */

static uint16_t free_port(int family)
{
	struct sockaddr_in6 sa = { .sin6_family = (sa_family_t)family };
	socklen_t len = sizeof(sa);
	int fd = socket(family, SOCK_DGRAM, 0);

	/* Family and port are at the same places in both. */
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		sa.sin6_port = 0;
	close(fd);
	return ntohs(sa.sin6_port);
}

/* @src and @dst are what stands around the port numbers. */
static void udp_pair(const char *src, const char *dst, int family,
		     VDECONN *c[2])
{
	uint16_t a = free_port(family), b = free_port(family);
	char url[100];

	snprintf(url, sizeof(url), "%s%u->%s:%u", src, a, dst, b);
	c[0] = open_url("", url);
	snprintf(url, sizeof(url), "%s%u->%s:%u", src, b, dst, a);
	c[1] = open_url("", url);
}

static void udp_carries_frames_both_ways(void)
{
	static const char *const forms[][2] = {
		{ "udp://", "127.0.0.1" },
		{ "udp://127.0.0.1:", "localhost" },
		{ "", "127.0.0.1" }, /* as VDE 2 wrote it */
	};
	VDECONN *c[2];

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		udp_pair(forms[i][0], forms[i][1], AF_INET, c);
		CHECK(c[0] && c[1]);
		CHECK(carries(c[0], c[1], 1) && carries(c[1], c[0], 2));
		CHECK(vde_ctlfd(c[0]) == -1);
		vde_close(c[0]);
		vde_close(c[1]);
	}
}

static void udp_speaks_ipv6(void)
{
	VDECONN *c[2];

	if (!free_port(AF_INET6))
		return;
	udp_pair("udp://[::1]:", "[::1]", AF_INET6, c);
	if (!c[0] && errno == EADDRNOTAVAIL)
		return; /* no IPv6 here */
	CHECK(carries(c[0], c[1], 1) && carries(c[1], c[0], 2));
	vde_close(c[0]);
	vde_close(c[1]);
}

static void a_missing_udp_peer_is_no_error(void)
{
	uint16_t a = free_port(AF_INET), b = free_port(AF_INET);
	char url[100], buf[100];
	struct vde_frame f[3] = { { .data = buf, .len = 60 },
				  { .data = buf, .len = 60 } };
	VDECONN *c, *d;

	f[2] = f[1];
	memset(buf, 0, sizeof(buf));
	snprintf(url, sizeof(url), "udp://%u->127.0.0.1:%u", a, b);
	c = open_url("", url);
	for (int i = 0; i < 5; i++)
		CHECK(vde_send(c, buf, 60, 0) == 60);
	CHECK(vde_send_batch(c, f, 3) > 0 && vde_send_batch(c, f, 3) > 0);
	if (is_readable(c, 100))
		CHECK(vde_recv(c, buf, sizeof(buf), 0) == 1);
	CHECK(!is_readable(c, 0));
	CHECK(vde_send(c, buf, 60, 0) == 60);
	CHECK(vde_recv_batch(c, f, 3) == -EAGAIN);
	snprintf(url, sizeof(url), "udp://%u->127.0.0.1:%u", b, a);
	d = open_url("", url);
	CHECK(carries(c, d, 3) && carries(d, c, 4));
	vde_close(c);
	vde_close(d);
}

/* The kernel tells an ICMP message instead of sending the next frame. */
static void no_frame_is_lost_for_an_earlier_one(void)
{
	uint16_t a = free_port(AF_INET), b = free_port(AF_INET);
	struct pollfd pfd = { .events = 0 };
	struct vde_frame f;
	char url[100], buf[60] = { 0 }, in[100];
	VDECONN *c, *d;

	f = (struct vde_frame){ .data = buf, .len = sizeof(buf) };
	for (int batch = 0; batch < 2; batch++) {
		snprintf(url, sizeof(url), "udp://%u->127.0.0.1:%u", a, b);
		c = open_url("", url);
		CHECK(vde_send(c, buf, sizeof(buf), 0) == 60);
		pfd.fd = vde_datafd(c);
		CHECK(poll(&pfd, 1, 3000) == 1 && pfd.revents == POLLERR);
		snprintf(url, sizeof(url), "udp://%u->127.0.0.1:%u", b, a);
		d = open_url("", url);
		if (batch)
			CHECK(vde_send_batch(c, &f, 1) == 1);
		else
			CHECK(vde_send(c, buf, sizeof(buf), 0) == 60);
		CHECK(is_readable(d, 3000));
		CHECK(vde_recv(d, in, sizeof(in), 0) == 60);
		vde_close(c);
		vde_close(d);
	}
}

static void a_udp_stranger_is_not_heard(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	uint16_t port = free_port(AF_INET);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char url[100];
	VDECONN *c;

	snprintf(url, sizeof(url), "udp://127.0.0.1:%u->127.0.0.1:9", port);
	c = open_url("", url);
	sa.sin_port = htons(port);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(sendto(fd, "xxxxxxxxxxxxxx", 14, 0, (struct sockaddr *)&sa,
		     sizeof(sa)) == 14);
	CHECK(!is_readable(c, 50));
	close(fd);
	vde_close(c);
}

/* --- ptp --- */

static const char *path_of(const char *name)
{
	static char path[2][100];
	static int i;

	i = !i;
	snprintf(path[i], sizeof(path[i]), "%s/%s", tmp, name);
	return path[i];
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(path_of(name), &st) == 0;
}

static void ptp_joins_two_and_no_third(void)
{
	VDECONN *a = open_url("ptp://", path_of("p")), *b;

	CHECK(a && exists("p") && !exists("p+"));
	b = open_url("ptp://", path_of("p"));
	CHECK(b && exists("p+"));
	errno = 0;
	CHECK(!open_url("ptp://", path_of("p")) && errno == EADDRINUSE);
	CHECK(carries(a, b, 1) && carries(b, a, 2) && carries(a, b, 3));
	CHECK(vde_ctlfd(a) == -1);
	vde_close(a);
	CHECK(!exists("p"));
	vde_close(b);
	CHECK(!exists("p+"));
}

static void either_ptp_end_may_come_back(void)
{
	VDECONN *c[2] = { open_url("ptp://", path_of("p")),
			  open_url("ptp://", path_of("p")) };

	for (int i = 0; i < 2; i++) {
		CHECK(carries(c[0], c[1], 1) && carries(c[1], c[0], 2));
		vde_close(c[i]);
		CHECK(vde_send(c[!i], tmp, 14, 0) == 14);
		CHECK(vde_send(c[!i], tmp, 14, 0) == 14);
		c[i] = open_url("ptp://", path_of("p"));
		CHECK(c[i] && carries(c[i], c[!i], 3));
		CHECK(carries(c[!i], c[i], 4));
	}
	vde_close(c[0]);
	vde_close(c[1]);
}

static void leave_dead_socket(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", tmp, name);
	CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	close(fd);
}

static void dead_ptp_sockets_are_taken_over(void)
{
	VDECONN *a, *b;

	leave_dead_socket("p");
	leave_dead_socket("p+");
	a = open_url("ptp://", path_of("p"));
	b = open_url("ptp://", path_of("p"));
	CHECK(a && b && carries(a, b, 1) && carries(b, a, 2));
	vde_close(a);
	vde_close(b);
	CHECK(!exists("p") && !exists("p+"));
}

static void a_file_that_is_no_socket_stays(void)
{
	int fd = open(path_of("f"), O_CREAT | O_WRONLY, 0600);

	close(fd);
	fd = open(path_of("f+"), O_CREAT | O_WRONLY, 0600);
	close(fd);
	errno = 0;
	CHECK(!open_url("ptp://", path_of("f")) && errno == EADDRINUSE);
	CHECK(exists("f") && exists("f+"));
	unlink(path_of("f"));
	unlink(path_of("f+"));
}

static void a_killed_ptp_end_may_be_replaced(void)
{
	VDECONN *a = open_url("ptp://", path_of("p")), *b;
	int fd[2], status;
	pid_t pid;
	char c;

	CHECK(pipe(fd) == 0);
	pid = fork();
	if (pid == 0) {
		b = open_url("ptp://", path_of("p"));
		_exit(!b || write(fd[1], "x", 1) != 1);
	}
	CHECK(read(fd[0], &c, 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(exists("p+"));
	b = open_url("ptp://", path_of("p"));
	CHECK(b && carries(b, a, 1) && carries(a, b, 2));
	vde_close(a);
	vde_close(b);
	close(fd[0]);
	close(fd[1]);
}

/* What a full queue does: -EAGAIN, POLLOUT gone, and back when it is read. */
static void a_slow_ptp_peer_holds_the_batch_up(void)
{
	char buf[100] = { 0 };
	struct vde_frame f = { .data = buf, .len = 60 };
	VDECONN *a = open_url("ptp://", path_of("p"));
	VDECONN *b = open_url("ptp://", path_of("p"));
	int rc, sent = 0, got = 0;

	while ((rc = vde_send_batch(a, &f, 1)) == 1 && sent < 100000)
		sent++;
	CHECK(rc == -EAGAIN && sent > 0 && !is_writable(a));
	errno = 0;
	CHECK(vde_send(a, buf, 60, 0) == -1 && errno == EAGAIN);
	while (vde_recv_batch(b, &f, 1) == 1)
		got++;
	CHECK(got == sent && is_writable(a));
	f.len = 60;
	CHECK(vde_send_batch(a, &f, 1) == 1 && is_readable(b, 0));
	vde_close(b);
	CHECK(vde_send_batch(a, &f, 1) == 1);
	b = open_url("ptp://", path_of("p"));
	CHECK(b && carries(b, a, 1) && carries(a, b, 2));
	vde_close(a);
	vde_close(b);
}

static void the_good_bye_of_an_old_ptp_peer_is_told(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	VDECONN *a = open_url("ptp://", path_of("p"));
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char buf[100];

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/p", tmp);
	CHECK(sendto(fd, "", 0, 0, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	CHECK(is_readable(a, 0) && vde_recv(a, buf, sizeof(buf), 0) == 0);
	CHECK(!is_readable(a, 0));
	close(fd);
	vde_close(a);
}

static void ptp_sockets_have_the_mode_that_was_asked_for(void)
{
	struct vde_open_args args = { .mode = 0640 };
	char url[200];
	struct stat st;
	VDECONN *a, *b;

	snprintf(url, sizeof(url), "ptp://%s", path_of("p"));
	a = vde_open(url, NULL, &args);
	CHECK(a && stat(path_of("p"), &st) == 0 &&
	      (st.st_mode & 07777) == 0640);
	b = open_url("ptp://", path_of("p"));
	CHECK(b && stat(path_of("p+"), &st) == 0);
	CHECK((st.st_mode & 07777) == 0700);
	vde_close(a);
	vde_close(b);
}

static void a_relative_ptp_path_survives_chdir(void)
{
	char back[4096];
	VDECONN *a, *b;

	CHECK(getcwd(back, sizeof(back)) && chdir(tmp) == 0);
	a = open_url("ptp://", "r");
	CHECK(chdir("/") == 0);
	b = open_url("ptp://", path_of("r"));
	CHECK(a && b && carries(a, b, 1) && carries(b, a, 1));
	vde_close(a);
	vde_close(b);
	CHECK(!exists("r") && !exists("r+"));
	CHECK(chdir(back) == 0);
}

static void a_ptp_path_must_fit_with_its_plus(void)
{
	char path[200];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[107] = '\0';
	errno = 0;
	CHECK(!open_url("ptp://", path) && errno == ENAMETOOLONG);
}

static void the_old_form_of_ptp_works(void)
{
	VDECONN *a = open_url(path_of("old"), "[]"), *b;

	CHECK(a && exists("old"));
	b = open_url(path_of("old"), "");
	CHECK(b && carries(a, b, 1) && carries(b, a, 2));
	vde_close(a);
	vde_close(b);
	leave_dead_socket("old");
	a = open_url(path_of("old"), "[]");
	CHECK(a);
	vde_close(a);
}

static void options_in_brackets_mean_a_switch_and_no_cable(void)
{
	static const char *const options[] = { "[mode=770]", "[group=0]",
					       "[transport=ring]" };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		errno = 0;
		CHECK(!open_url(path_of("none"), options[i]) &&
		      errno == ENOENT && !exists("none"));
	}
}

/* --- batches --- */

static void batches_carry_many_frames(void)
{
	enum {
		N = 10,
		SIZE = 100
	};
	char out[N][SIZE], in[VDE_BATCH_MAX][SIZE];
	struct vde_frame f[VDE_BATCH_MAX];
	VDECONN *c[2] = { open_url("ptp://", path_of("p")),
			  open_url("ptp://", path_of("p")) };

	for (int i = 0; i < N; i++) {
		memset(out[i], i, SIZE);
		f[i] = (struct vde_frame){ .data = out[i],
					   .len = 60 + (size_t)i };
	}
	CHECK(vde_send_batch(c[0], f, N) == N);
	for (int i = 0; i < VDE_BATCH_MAX; i++)
		f[i] = (struct vde_frame){ .data = in[i],
					   .len = SIZE,
					   .offload.flags = 1 };
	CHECK(vde_recv_batch(c[1], f, VDE_BATCH_MAX) == N);
	for (int i = 0; i < N; i++)
		CHECK(f[i].len == 60 + (size_t)i &&
		      !memcmp(f[i].data, out[i], f[i].len) &&
		      f[i].offload.flags == 0);
	CHECK(vde_recv_batch(c[1], f, VDE_BATCH_MAX) == -EAGAIN);
	CHECK(vde_recv_batch(c[1], f, 0) == -EINVAL);
	vde_close(c[0]);
	vde_close(c[1]);
}

int main(void)
{
	alarm(30);
	if (!mkdtemp(tmp))
		return 1;
	RUN(no_connection_is_a_bad_descriptor);
	RUN(the_version_counts_only_with_arguments);
	RUN(what_cannot_be_opened_says_why);
	RUN(null_takes_everything_and_has_nothing);
	RUN(descriptors_are_closed_on_exec_and_by_close);
	RUN(an_inherited_socket_is_used_as_it_is);
	RUN(a_stream_socket_keeps_no_frames_apart);
	RUN(udp_carries_frames_both_ways);
	RUN(udp_speaks_ipv6);
	RUN(a_missing_udp_peer_is_no_error);
	RUN(no_frame_is_lost_for_an_earlier_one);
	RUN(a_udp_stranger_is_not_heard);
	RUN(ptp_joins_two_and_no_third);
	RUN(either_ptp_end_may_come_back);
	RUN(dead_ptp_sockets_are_taken_over);
	RUN(a_file_that_is_no_socket_stays);
	RUN(a_killed_ptp_end_may_be_replaced);
	RUN(a_slow_ptp_peer_holds_the_batch_up);
	RUN(the_good_bye_of_an_old_ptp_peer_is_told);
	RUN(ptp_sockets_have_the_mode_that_was_asked_for);
	RUN(a_relative_ptp_path_survives_chdir);
	RUN(a_ptp_path_must_fit_with_its_plus);
	RUN(the_old_form_of_ptp_works);
	RUN(options_in_brackets_mean_a_switch_and_no_cable);
	RUN(batches_carry_many_frames);
	rmdir(tmp);
	DONE();
}
