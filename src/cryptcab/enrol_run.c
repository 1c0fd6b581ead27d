// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What of enrol.h has to do with processes and the clock: the client runs ssh,
 * the server's subcommand is run by it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/log.h"
#include "cryptcab/enrol.h"
#include "cryptcab/keyfile.h"
#include "cryptcab/noise.h"
#include "cryptcab/peersdisk.h"

#define OUTPUT_MAX 65536 /* of ssh, with all that a login shell says */
#define END_MS 2000 /* for ssh to end when it is no longer needed */
#define REQUEST_MS 30000 /* for the request to come */
#define WHY_SIZE (2 * PATH_MAX + 400)

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- a child ---- */

struct child {
	pid_t pid;
	int out; /* its stdout */
};

static void close_pair(const int fds[2])
{
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int spawn(pid_t *pid, char *const *argv, int in, int out)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	/* Signals as a shell would give them: ours are blocked or ignored. */
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawnp(pid, argv[0], &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return -rc;
}

/* Descriptors 0 to 2 are open in whoever calls, so no pipe is one of them.
 * The line is shorter than a pipe: it lies in it before anybody reads. */
static int start(struct child *c, char *const *argv, const char *line)
{
	int to[2] = { -1, -1 }, from[2] = { -1, -1 }, rc = 0;
	ssize_t len = (ssize_t)strlen(line);

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		rc = -errno;
	else if (write(to[1], line, (size_t)len) != len)
		rc = -EIO;
	if (!rc)
		rc = spawn(&c->pid, argv, to[0], from[1]);
	close_pair(to);
	if (rc) {
		close_pair(from);
		return rc;
	}
	close(from[1]);
	c->out = from[0];
	return 0;
}

static bool ends_within(pid_t pid, int ms)
{
	struct pollfd pfd = { .events = POLLIN };
	int n;

	pfd.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pfd.fd < 0)
		return false;
	do
		n = poll(&pfd, 1, ms);
	while (n < 0 && errno == EINTR);
	close(pfd.fd);
	return n > 0;
}

/* Its status as of waitpid(); it has @ms to end by itself. */
static int finish(const struct child *c, int ms)
{
	int status = 0;

	close(c->out);
	if (!ends_within(c->pid, ms)) {
		kill(c->pid, SIGTERM);
		if (!ends_within(c->pid, END_MS))
			kill(c->pid, SIGKILL);
	}
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

/* ---- the client ---- */

/* Bytes to *@len more; 0 at the end of them, -ETIMEDOUT, or -errno. */
static int read_more(int fd, char *s, size_t *len, uint64_t end)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t now = now_ms();
	ssize_t n;

	if (*len == OUTPUT_MAX)
		return -EFBIG;
	if (now >= end)
		return -ETIMEDOUT;
	n = poll(&pfd, 1, (int)min_u64(end - now, 60000));
	if (n <= 0)
		return n && errno != EINTR ? -errno : 1;
	n = read(fd, s + *len, OUTPUT_MAX - *len);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -errno;
	*len += (size_t)n;
	return n > 0;
}

/* 0: a reply; 1: there was none. */
static int wait_for_reply(int fd, uint64_t end, struct enrol_reply *r)
{
	char *s = malloc(OUTPUT_MAX);
	size_t len = 0;
	int rc = s ? 1 : -ENOMEM;

	while (rc > 0) {
		enum enrol_found found;

		rc = read_more(fd, s, &len, end);
		if (rc < 0)
			break;
		found = enrol_find_reply(r, s, len);
		if (found != ENROL_NOTHING) {
			free(s);
			return found == ENROL_REPLY ? 0 : -EPROTO;
		}
	}
	free(s);
	return rc < 0 ? rc : 1;
}

static void tell_status(struct strbuf *why, const char *ssh, int status)
{
	if (WIFSIGNALED(status))
		strbuf_fmt(why, "%s was killed by signal %d", ssh,
			   WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		strbuf_add(why, "there is no vde_cryptcab in the path there "
				"(VDE_CRYPTCAB says where it is)");
	else if (WEXITSTATUS(status) == 255)
		strbuf_fmt(why, "%s failed", ssh);
	else
		strbuf_fmt(why, "no answer, and status %d",
			   WEXITSTATUS(status));
}

int enrol_run(const struct enrol_words *w, const struct enrol_request *q,
	      unsigned int timeout_ms, struct enrol_reply *r,
	      struct strbuf *why)
{
	uint64_t end = now_ms() + timeout_ms;
	char line[ENROL_LINE_MAX + 1];
	struct child c;
	int rc, status;

	rc = start(&c, w->argv, enrol_write_request(line, q));
	if (rc) {
		strbuf_fmt(why, "unable to run %s: %s", w->argv[0],
			   strerror(-rc));
		return rc;
	}
	rc = wait_for_reply(c.out, end, r);
	status = finish(&c, rc < 0 ? 0 : END_MS);
	if (!rc && !r->refused)
		return 0;
	strbuf_add(why, "unable to enrol by ssh: ");
	if (!rc) {
		strbuf_fmt(why, "the other side says: %s", r->reason);
		return -EACCES;
	}
	if (rc > 0) {
		tell_status(why, w->argv[0], status);
		return -EPROTO;
	}
	strbuf_add(why, rc == -ETIMEDOUT ? "no answer in time"
			: rc == -EPROTO	 ? "an answer that makes no sense"
			: rc == -EFBIG	 ? "much output, and no answer in it"
					 : strerror(-rc));
	return rc;
}

/* True if the file has a peer of that address; no file has none. */
static int is_known(const char *peers_path, const struct address *host,
		    struct strbuf *why)
{
	size_t before = why->len;
	struct peersfile *f;
	int rc = peersdisk_load(&f, peers_path, why);

	if (rc == -ENOENT) {
		why->s[why->len = before] = '\0';
		return 0;
	}
	if (rc)
		return rc;
	rc = peersfile_find_address(f, host) != NULL;
	peersfile_free(f);
	return rc;
}

static int keep(const struct enrol_reply *r, const struct address *host,
		const char *peers_path, struct strbuf *why)
{
	struct address addr = *host;
	struct peersfile_peer p = { .addrs = &addr,
				    .n_addrs = 1,
				    .rules = { .untagged = VLAN_NONE } };
	int rc;

	memcpy(p.key, r->key, KEY64_BYTES);
	peersfile_make_name(p.name, host->host);
	rc = peersdisk_renew(peers_path, &p, why);
	if (rc)
		return rc;
	log_notice("server %s knows this machine as %s", p.name, r->name);
	if (r->port && r->port != host->port)
		log_warn("server %s says that its port is %u, not %u", p.name,
			 (unsigned int)r->port, (unsigned int)host->port);
	return 1;
}

int enrol_server(const char *user, const struct address *host,
		 const uint8_t pub[static KEY64_BYTES], const char *peers_path,
		 unsigned int timeout_ms, struct strbuf *why)
{
	struct enrol_request q;
	struct enrol_reply r;
	struct enrol_words w;
	char name[256];
	int rc = is_known(peers_path, host, why);

	if (rc)
		return rc < 0 ? rc : 0;
	memcpy(q.key, pub, KEY64_BYTES);
	if (gethostname(name, sizeof(name)))
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0';
	peersfile_make_name(q.name, name);
	rc = enrol_words(&w, getenv("VDE_SSH"), user, host,
			 getenv("VDE_CRYPTCAB"), why);
	if (!rc)
		rc = enrol_run(&w, &q, timeout_ms, &r, why);
	if (!rc && !memcmp(r.key, pub, KEY64_BYTES)) {
		rc = -EPROTO;
		strbuf_add(why, "unable to enrol by ssh: the other side has "
				"the key of this one");
	}
	return rc ? rc : keep(&r, host, peers_path, why);
}

/* ---- the server's subcommand ---- */

struct options {
	const char *key, *peers;
	int64_t port;
};

#define OPT(member) offsetof(struct options, member)

static const struct cli_option rows[] = {
	{ 0, "key", CLI_STR, "FILE", "private key of the server", OPT(key), 0,
	  0, NULL },
	{ 0, "peers", CLI_STR, "FILE", "peers file that gets the client",
	  OPT(peers), 0, 0, NULL },
	{ 'p', "localport", CLI_NUM, "PORT",
	  "where the server listens, to tell the client", OPT(port), 1, 65535,
	  NULL },
};

#undef OPT

static const struct cli cli = {
	.synopsis = "enrol [OPTION]...",
	.about = "Add a client, whose request comes from standard input, to "
		 "the peers file. A client runs it by ssh.",
	.options = rows,
	.n_options = ARRAY_SIZE(rows),
};

/* One line from stdin, without its newline; not more than is asked for. */
static int read_request(char line[static ENROL_LINE_MAX + 1])
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t end = now_ms() + REQUEST_MS;
	size_t len = 0;

	while (len < ENROL_LINE_MAX) {
		uint64_t now = now_ms();
		ssize_t n;

		if (now >= end)
			return -ETIMEDOUT;
		n = poll(&pfd, 1, (int)(end - now));
		if (n <= 0)
			continue;
		n = read(STDIN_FILENO, line + len, 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0 || (n > 0 && line[len] == '\n'))
			break;
		len += n > 0;
	}
	line[len] = '\0';
	return strlen(line) == len ? 0 : -EINVAL;
}

/* The public key that the client is told. */
static int own_key(const char *path, uint8_t pub[static KEY64_BYTES],
		   struct strbuf *why)
{
	uint8_t key[KEY64_BYTES];
	int rc = keyfile_read_or_make(key, path, why);

	if (rc >= 0 && !noise_public(pub, key)) {
		rc = -EINVAL;
		strbuf_fmt(why, "unable to use %s: no public key", path);
	}
	sodium_memzero(key, sizeof(key));
	return rc < 0 ? rc : 0;
}

static int serve(const struct options *o, struct enrol_reply *r,
		 struct strbuf *why)
{
	char key[PATH_MAX], peers[PATH_MAX], line[ENROL_LINE_MAX + 1];
	uint8_t pub[KEY64_BYTES];
	int rc = 0;

	if (o->key)
		rc = str_copy(key, sizeof(key), o->key);
	else
		rc = privfile_default(key, sizeof(key), "cryptcab.key", why);
	if (rc >= 0 && o->peers)
		rc = str_copy(peers, sizeof(peers), o->peers);
	else if (rc >= 0)
		rc = privfile_default(peers, sizeof(peers), "cryptcab.peers",
				      why);
	if (rc >= 0)
		rc = own_key(key, pub, why);
	if (!rc) {
		rc = read_request(line);
		if (rc)
			strbuf_fmt(why, "unable to read a request: %s",
				   strerror(-rc));
	}
	if (!rc)
		return enrol_serve(line, peers, pub, (uint16_t)o->port, r, why);
	if (!why->len)
		strbuf_add(why, strerror(-rc));
	memset(r, 0, sizeof(*r));
	r->refused = true;
	(void)str_fmt(r->reason, sizeof(r->reason), "%s", why->s);
	return rc;
}

int enrol_cmd(int argc, char **argv)
{
	char reason[WHY_SIZE], line[ENROL_LINE_MAX + 1];
	struct options o = { 0 };
	struct enrol_reply r;
	struct strbuf why;
	int rc;

	if (cli_parse(&cli, argc, argv, &o) != argc)
		cli_usage("enrol takes no operands");
	if (sodium_init() < 0)
		return 1;
	strbuf_init(&why, reason, sizeof(reason));
	rc = serve(&o, &r, &why);
	/* The client prints it; here nobody may be looking. */
	if (fputs(enrol_write_reply(line, &r), stdout) < 0 || fflush(stdout)) {
		log_err("unable to answer: %s", strerror(errno));
		return 1;
	}
	return rc < 0;
}
