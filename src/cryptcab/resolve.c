// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "cryptcab/udp.h"

#define PATIENCE (60 * LOOP_SEC)
#define WHY 96

/* What the child writes: less than a pipe takes at once. */
struct answer {
	int n;
	struct tunnel_addr addrs[RESOLVE_MAX];
	char why[WHY];
};

struct resolve {
	struct loop *loop;
	struct loop_fd io;
	struct loop_timer timer;
	int fd; /* of the pipe, or -1 */
	pid_t child; /* 0: none */
	resolve_fn *fn;
	void *ctx;
	struct answer answer;
};

static void look_up(struct answer *a, const char *host, uint16_t port, int flag)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
					.ai_flags = flag };
	struct addrinfo *all = NULL;
	char service[8];
	int rc;

	*a = (struct answer){ 0 };
	(void)str_fmt(service, sizeof(service), "%u", port);
	rc = getaddrinfo(host, service, &hints, &all);
	if (rc) {
		(void)str_copy(a->why, sizeof(a->why),
			       rc == EAI_SYSTEM ? strerror(errno)
						: gai_strerror(rc));
		return;
	}
	for (const struct addrinfo *i = all; i && a->n < RESOLVE_MAX;
	     i = i->ai_next)
		if (udp_addr_from(&a->addrs[a->n], i->ai_addr))
			a->n++;
	freeaddrinfo(all);
	if (!a->n)
		(void)str_copy(a->why, sizeof(a->why), "it has no address");
}

static void say(struct resolve *r)
{
	loop_fd_del(r->loop, &r->io);
	loop_timer_del(r->loop, &r->timer);
	r->answer.why[WHY - 1] = '\0';
	r->fn(r->ctx, r->answer.addrs, r->answer.n, r->answer.why);
}

static void fail(struct resolve *r, const char *why)
{
	r->answer.n = 0;
	(void)str_copy(r->answer.why, WHY, why);
	say(r);
}

static void readable(struct loop_fd *w, uint32_t events)
{
	struct resolve *r = container_of(w, struct resolve, io);
	ssize_t n = read(r->fd, &r->answer, sizeof(r->answer));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(r->answer) || r->answer.n < 0 ||
	    r->answer.n > RESOLVE_MAX)
		fail(r, "the process that asked has died");
	else
		say(r);
}

static void expired(struct loop_timer *t)
{
	fail(container_of(t, struct resolve, timer), strerror(ETIMEDOUT));
}

static void known(struct loop_timer *t)
{
	say(container_of(t, struct resolve, timer));
}

_Noreturn static void child(int fd, const char *host, uint16_t port)
{
	struct answer a;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	look_up(&a, host, port, 0);
	_exit(write(fd, &a, sizeof(a)) == (ssize_t)sizeof(a) ? 0 : 1);
}

static int start_child(struct resolve *r, const char *host, uint16_t port)
{
	int fds[2];

	static_assert(sizeof(struct answer) <= PIPE_BUF, "one write, one read");
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	r->child = fork();
	if (!r->child)
		child(fds[1], host, port);
	close(fds[1]);
	r->fd = fds[0];
	if (r->child < 0) {
		r->child = 0;
		return -EAGAIN;
	}
	return loop_fd_add(r->loop, &r->io, r->fd, EPOLLIN, readable);
}

int resolve_new(struct resolve **out, struct loop *loop, const char *host,
		uint16_t port, resolve_fn *fn, void *ctx)
{
	struct resolve *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return -ENOMEM;
	*r = (struct resolve){ .loop = loop, .fd = -1, .fn = fn, .ctx = ctx };
	look_up(&r->answer, host, port, AI_NUMERICHOST);
	if (r->answer.n) {
		rc = loop_timer_set(loop, &r->timer, 0, known);
	} else {
		rc = start_child(r, host, port);
		if (!rc)
			rc = loop_timer_set(loop, &r->timer, PATIENCE, expired);
	}
	if (rc)
		resolve_free(r);
	else
		*out = r;
	return rc;
}

void resolve_free(struct resolve *r)
{
	if (!r)
		return;
	loop_fd_del(r->loop, &r->io);
	loop_timer_del(r->loop, &r->timer);
	if (r->fd >= 0)
		close(r->fd);
	if (r->child) {
		kill(r->child, SIGKILL);
		while (waitpid(r->child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(r);
}
