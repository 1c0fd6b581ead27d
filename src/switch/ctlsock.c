// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connection is pending until its request is complete, refused or
 * PENDING_TIME old; then it is closed or becomes part of an endpoint. A
 * client names a socket of its own: one that is somebody else's is refused,
 * or a switch of root's could be made to write into any socket. To leave no
 * gap between looking and connecting, the path is opened once (O_PATH) and
 * reached through that descriptor.
 */
#include "switch/ctlsock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/wire.h"
#include "common/acceptor.h"
#include "common/unixsock.h"
#include "switch/tr_dgram.h"
#include "switch/tr_ring.h"

#define PENDING_MAX 1024
#define PENDING_TIME (10 * LOOP_SEC)
#define LEAVING_TIME (10 * LOOP_MS)
#define GROUPS_MAX 1024
#define DATA_NAME_LEN 20 /* "/16384.1048576" and room to spare */

struct pending {
	struct list node;
	struct ctlsock *cs;
	struct loop_fd io;
	struct loop_timer timeout;
	bool again; /* its port may become free yet */
	size_t len;
	uint8_t buf[WIRE_REQ_MAX];
};

struct ctlsock {
	struct vswitch *sw;
	struct ctlsock_config cf;
	struct dgram_shared *dgram;
	struct ring_host *rings;
	struct acceptor acceptor;
	struct list pending; /* oldest first */
	size_t n_pending;
	struct log_limit limit;
	int fd;
	struct unixsock_id ctl_id; /* of the file at @ctl */
	bool ours; /* the directory, to be removed at the end */
	char dir[PATH_MAX];
	char ctl[PATH_MAX + 8];
	gid_t groups[GROUPS_MAX];
};

/* A client as the kernel knows it. */
struct client {
	pid_t pid;
	uid_t uid;
	struct port_user user;
	struct stat st; /* of its data socket, if that has a path */
	bool has_path;
	const char *refusal; /* why it gets no port, if errno does not tell */
};

/* ---- requests ---- */

static void pending_free(struct pending *p, bool close_it)
{
	struct ctlsock *cs = p->cs;
	int fd = p->io.fd;

	loop_fd_del(cs->sw->loop, &p->io);
	loop_timer_del(cs->sw->loop, &p->timeout);
	list_del(&p->node);
	cs->n_pending--;
	free(p);
	if (close_it)
		close(fd);
	acceptor_retry(&cs->acceptor);
}

static int identify(struct ctlsock *cs, int fd, struct client *who)
{
	socklen_t len = sizeof(cs->groups) - sizeof(cs->groups[0]);
	int rc = unixsock_peer(fd, &who->pid, &who->uid, &cs->groups[0]);

	if (rc)
		return rc;
	who->user = (struct port_user){ who->uid, cs->groups, 1 };
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, cs->groups + 1, &len))
		who->user.n_groups += len / sizeof(gid_t);
	return 0;
}

/* Opens the client's data socket, which must be its own (root may lend). */
static int open_client_path(const char *path, struct client *who)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &who->st))
		rc = -errno;
	else if (!S_ISSOCK(who->st.st_mode))
		rc = -ENOTSOCK;
	else if (who->uid != 0 && who->st.st_uid != who->uid)
		rc = -EPERM;
	if (!rc)
		return fd;
	if (rc == -EPERM)
		who->refusal = "its data socket is another user's";
	close(fd);
	return rc;
}

/* Who may write to the data socket (VDE 2's rule): a switch of root's gives
 * it to the client alone, another relies on the mode. */
static void set_rights(const struct ctlsock *cs, const struct client *who,
		       const struct wire_request *rq, struct dgram_request *dr)
{
	const struct ctlsock_config *cf = &cs->cf;

	dr->owner = (uid_t)-1;
	dr->group = cf->group;
	dr->mode = cf->mode;
	if (geteuid() == 0) {
		dr->mode &= 0700;
		dr->owner = who->has_path ? who->st.st_uid : who->uid;
	}
	if (rq->type == WIRE_REQ_NEW_PORT0) {
		dr->mode = cf->mgmt_mode;
		if (cf->mgmt_group != UNIXSOCK_KEEP_GROUP)
			dr->group = cf->mgmt_group;
	}
}

/* Makes the client's path reachable through a descriptor, so that what is
 * connected to is what was checked; *@fd is -1 for an abstract name. That
 * does not tell whose it is: only who could reach it with the switch's rights
 * anyway may have it written to by the switch. */
static int pin_client_path(const struct wire_request *rq, struct client *who,
			   struct dgram_request *dr, int *fd)
{
	dr->peer = rq->addr;
	dr->peer_len = (socklen_t)rq->addr_len;
	*fd = -1;
	who->has_path = rq->addr.sun_path[0];
	if (!who->has_path) {
		if (who->uid == 0 || who->uid == geteuid())
			return 0;
		who->refusal = "an abstract address has no owner";
		return -EPERM;
	}
	*fd = open_client_path(rq->addr.sun_path, who);
	if (*fd < 0)
		return *fd;
	memset(dr->peer.sun_path, 0, sizeof(dr->peer.sun_path));
	dr->peer_len = sizeof(dr->peer);
	return str_fmt(dr->peer.sun_path, sizeof(dr->peer.sun_path),
		       "/proc/self/fd/%d", *fd) < 0
		       ? -ENAMETOOLONG
		       : 0;
}

static int find_port(struct ctlsock *cs, const struct wire_request *rq,
		     struct client *who)
{
	const struct bridge *br = cs->sw->br;
	int want = rq->port ? (int)rq->port : -1, rc;

	if (rq->type == WIRE_REQ_NEW_PORT0)
		want = 0;
	rc = bridge_port_for(br, want, &who->user);
	if (rc == -EINVAL)
		who->refusal = "no such port number";
	else if (rc == -ENOSPC)
		who->refusal = "all ports are in use";
	else if (rc == -EACCES && port_is_active(br->ports[want]))
		who->refusal = "another user is on that port";
	else if (rc == -EACCES)
		who->refusal = "that port is reserved for others";
	return rc;
}

/* An endpoint of VDE 2's kind: 0, or -errno with nothing left behind but the
 * connection. */
static int grant_dgram(struct ctlsock *cs, int fd,
		       const struct wire_request *rq, struct client *who,
		       int port)
{
	struct dgram_request dr = { .own = { .sun_family = AF_UNIX },
				    .port = (unsigned int)port,
				    .uid = who->uid,
				    .descr = rq->descr };
	int path_fd = -1, rc = pin_client_path(rq, who, &dr, &path_fd);

	if (rc)
		return rc;
	set_rights(cs, who, rq, &dr);
	rc = str_copy(dr.own.sun_path, sizeof(dr.own.sun_path), cs->dir);
	if (rc >= 0)
		rc = dgram_attach_take(cs->dgram, &dr, fd);
	if (rc && dr.connected)
		who->refusal = "the switch cannot open its own data socket";
	else if (rc == -ENOENT && path_fd >= 0 && access("/proc/self/fd", F_OK))
		who->refusal = "the switch has no /proc to reach it by";
	if (rc && dr.connected)
		log_warn_rl(&cs->limit, loop_now(cs->sw->loop),
			    "unable to open a data socket in %s: %s", cs->dir,
			    strerror(-rc));
	if (path_fd >= 0)
		close(path_fd);
	/* A client that is gone already will be noticed by its EOF. */
	if (!rc)
		send(fd, &dr.own, sizeof(dr.own), MSG_DONTWAIT | MSG_NOSIGNAL);
	return rc;
}

/* The same with rings. Whatever fails here, datagrams may do: a client that is
 * hung up on asks for them, too. Descriptors cannot be sent while too many of
 * this user's are on their way, to clients that do not look. */
static int grant_ring(struct ctlsock *cs, int fd, const struct wire_request *rq,
		      const struct client *who, int port)
{
	const struct port *p = cs->sw->br->ports[port];
	struct ring_grant grant;
	int rc = -EOPNOTSUPP;

	if (!cs->cf.no_rings && !(p && p->no_rings))
		rc = ring_attach_take(cs->rings, rq, (unsigned int)port,
				      who->uid, fd, &grant);
	if (rc)
		return rc;
	rc = ring_answer(fd, &grant.answer, grant.fds);
	if (!rc)
		return 0;
	log_warn_rl(&cs->limit, loop_now(cs->sw->loop),
		    "unable to answer pid %ld of uid %lu: %s", (long)who->pid,
		    (unsigned long)who->uid, strerror(-rc));
	bridge_detach(grant.ep);
	return 0;
}

static void refuse_ring(int fd, const struct client *who, int rc)
{
	struct wire_answer answer = { .status = (uint32_t)-rc };

	str_fmt(answer.reason, sizeof(answer.reason), "%s",
		who->refusal ? who->refusal : strerror(-rc));
	if (!who->refusal)
		answer.status = EOPNOTSUPP;
	ring_answer(fd, &answer, NULL);
}

static void log_refusal(struct ctlsock *cs, const struct wire_request *rq,
			const struct client *who, int rc)
{
	const char *path = rq->addr.sun_path;
	char port[24] = "a port";

	if (rq->port || rq->type == WIRE_REQ_NEW_PORT0)
		str_fmt(port, sizeof(port), "port %u",
			rq->type == WIRE_REQ_NEW_PORT0 ? 0 : rq->port);
	if (rq->version == WIRE_VERSION_RING)
		path = who->refusal ? "none" : "none (rings; it may come back)";
	log_warn_rl(&cs->limit, loop_now(cs->sw->loop),
		    "refused %s to pid %ld of uid %lu, data socket %s%.*s: %s",
		    port, (long)who->pid, (unsigned long)who->uid,
		    path[0] ? "" : "@",
		    (int)sizeof(rq->addr.sun_path) - !path[0],
		    path[0] ? path : path + 1,
		    who->refusal ? who->refusal : strerror(-rc));
}

static void leaving_over(struct loop_timer *t);

/* A client that left before this one came may not have been noticed yet. */
static bool wait_for_leavers(struct pending *p)
{
	struct loop *loop = p->cs->sw->loop;

	if (p->again ||
	    loop_timer_set(loop, &p->timeout, LEAVING_TIME, leaving_over))
		return false;
	p->again = true;
	loop_fd_want(loop, &p->io, 0);
	return true;
}

/* The fixed part is complete: grants or refuses, and @p is gone; or it is
 * asked again soon. */
static void serve(struct pending *p, const struct wire_request *rq)
{
	struct ctlsock *cs = p->cs;
	struct client who = { 0 };
	int fd = p->io.fd, port = -1;
	int rc = identify(cs, fd, &who);

	if (!rc) {
		port = find_port(cs, rq, &who);
		rc = port < 0 ? port : 0;
	}
	if ((rc == -ENOSPC || rc == -EACCES) && wait_for_leavers(p))
		return;
	pending_free(p, false);
	if (!rc && rq->version == WIRE_VERSION_RING)
		rc = grant_ring(cs, fd, rq, &who, port);
	else if (!rc)
		rc = grant_dgram(cs, fd, rq, &who, port);
	if (!rc)
		return;
	if (rc != -EOPNOTSUPP)
		log_refusal(cs, rq, &who, rc);
	if (rq->version == WIRE_VERSION_RING)
		refuse_ring(fd, &who, rc);
	close(fd);
}

static void leaving_over(struct loop_timer *t)
{
	struct pending *p = container_of(t, struct pending, timeout);
	struct wire_request rq;

	wire_parse_request(&rq, p->buf, p->len); /* not for the first time */
	serve(p, &rq);
}

static void reject(struct pending *p, enum wire_status status,
		   const struct wire_request *rq)
{
	static const char *const why[] = {
		[WIRE_OK] = "",
		[WIRE_SHORT] = "it ended early",
		[WIRE_BAD_MAGIC] = "not a VDE request (wrong magic)",
		[WIRE_BAD_VERSION] = "unsupported protocol version",
		[WIRE_BAD_TYPE] = "unknown request type",
		[WIRE_BAD_ADDR] = "unusable address of the data socket",
	};
	static_assert(ARRAY_SIZE(why) == WIRE_N_STATUS, "a status has no text");

	log_warn_rl(&p->cs->limit, loop_now(p->cs->sw->loop),
		    "refused a request on %s: %s (version %d, type %u)",
		    p->cs->ctl, why[status], rq->version, rq->type);
	pending_free(p, true);
}

static void pending_ready(struct loop_fd *w, uint32_t events)
{
	struct pending *p = container_of(w, struct pending, io);
	ssize_t n = read(w->fd, p->buf + p->len, sizeof(p->buf) - p->len);
	struct wire_request rq = { 0 };
	enum wire_status status;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 && p->len && !p->again) {
		reject(p, WIRE_SHORT, &rq);
		return;
	}
	if (n <= 0) {
		pending_free(p, true);
		return;
	}
	p->len += (size_t)n;
	status = wire_parse_request(&rq, p->buf, p->len);
	if (status == WIRE_OK)
		serve(p, &rq);
	else if (status != WIRE_SHORT)
		reject(p, status, &rq);
}

static void pending_timeout(struct loop_timer *t)
{
	struct pending *p = container_of(t, struct pending, timeout);
	struct wire_request none = { 0 };

	reject(p, WIRE_SHORT, &none);
}

static void accepted(struct acceptor *a, int fd)
{
	struct ctlsock *cs = container_of(a, struct ctlsock, acceptor);
	struct pending *p;

	if (cs->n_pending >= PENDING_MAX)
		pending_free(list_entry(cs->pending.next, struct pending, node),
			     true);
	p = calloc(1, sizeof(*p));
	if (!p ||
	    loop_fd_add(cs->sw->loop, &p->io, fd, EPOLLIN, pending_ready)) {
		free(p);
		close(fd);
		return;
	}
	p->cs = cs;
	list_add_tail(&cs->pending, &p->node);
	cs->n_pending++;
	loop_timer_set(cs->sw->loop, &p->timeout, PENDING_TIME,
		       pending_timeout);
	pending_ready(&p->io, EPOLLIN);
}

/* ---- the directory ---- */

static bool is_data_name(const char *s)
{
	size_t n = strspn(s, "0123456789");

	if (!n || s[n] != '.')
		return false;
	s += n + 1;
	n = strspn(s, "0123456789");
	return n && !s[n];
}

/* What a switch that died left behind beside its stale ctl. */
static void remove_leftovers(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	struct stat st;

	if (!d && fd >= 0)
		close(fd);
	if (!d)
		return;
	while ((e = readdir(d)))
		if (is_data_name(e->d_name) &&
		    !fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISSOCK(st.st_mode))
			unlinkat(fd, e->d_name, 0);
	closedir(d);
}

static int set_dir_rights(const struct ctlsock *cs, int dir_fd)
{
	if (cs->cf.group != UNIXSOCK_KEEP_GROUP &&
	    fchown(dir_fd, (uid_t)-1, cs->cf.group))
		return -errno;
	return fchmod(dir_fd, cs->cf.dirmode) ? -errno : 0;
}

/* Opens the directory @dir, which is created if its parent exists, and finds
 * its canonical name. */
static int make_dir(struct ctlsock *cs, const char *dir)
{
	struct sockaddr_un *sa = NULL;
	int rc, fd;

	if (!mkdir(dir, 0700))
		cs->ours = true;
	else if (errno != EEXIST)
		return -errno;
	if (!realpath(dir, cs->dir)) {
		rc = -errno;
		cs->dir[0] = '\0';
		return rc;
	}
	fd = open(cs->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = -ENAMETOOLONG;
	if (strlen(cs->dir) + DATA_NAME_LEN < sizeof(sa->sun_path))
		rc = str_fmt(cs->ctl, sizeof(cs->ctl), "%s/ctl", cs->dir);
	if (rc >= 0)
		return fd;
	close(fd);
	return rc;
}

/* Under a name that tells clients whether there are rings. */
static int listen_on(struct ctlsock *cs)
{
	char path[sizeof(cs->ctl) + sizeof(WIRE_RING_MARK)];

	str_fmt(path, sizeof(path), "%s%sctl", cs->dir,
		cs->cf.no_rings ? "/" : WIRE_RING_MARK);
	return unixsock_listen(path, cs->cf.mode, cs->cf.group);
}

static int open_ctl(struct ctlsock *cs, int dir_fd)
{
	const bool created = cs->ours;
	struct stat st;
	int rc = 0;

	/* A directory that was there is ours if it was before: this user's,
	 * with a ctl in it, on which nobody is found to listen any more. */
	if (!created && !fstat(dir_fd, &st) && st.st_uid == geteuid() &&
	    !fstatat(dir_fd, "ctl", &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISSOCK(st.st_mode))
		cs->ours = true;
	cs->fd = listen_on(cs);
	if (cs->fd < 0) {
		cs->ours = created;
		log_err("unable to listen on %s: %s", cs->ctl,
			cs->fd == -EADDRINUSE ? "a switch is running there"
					      : strerror(-cs->fd));
		return cs->fd;
	}
	cs->ctl_id = unixsock_id(cs->ctl);
	if (cs->ours && !created)
		remove_leftovers(dir_fd);
	if (cs->ours)
		rc = set_dir_rights(cs, dir_fd);
	if (rc)
		log_err("unable to set group and mode of %s: %s", cs->dir,
			strerror(-rc));
	return rc;
}

static int open_dir(struct ctlsock *cs, const char *dir)
{
	int fd = make_dir(cs, dir), rc;

	if (fd < 0) {
		log_err("unable to use directory %s: %s", dir, strerror(-fd));
		return fd;
	}
	rc = open_ctl(cs, fd);
	close(fd);
	return rc;
}

static const char *default_dir(void)
{
	return geteuid() == 0 ? "/var/run/vde.ctl" : "/tmp/vde.ctl";
}

/* ---- life ---- */

struct ctlsock *ctlsock_new(struct vswitch *sw, const struct ctlsock_config *cf)
{
	struct ctlsock *cs = calloc(1, sizeof(*cs));
	int rc;

	if (!cs)
		return NULL;
	cs->sw = sw;
	cs->cf = *cf;
	cs->fd = -1;
	list_init(&cs->pending);
	cs->dgram = dgram_shared_new(sw);
	cs->rings = ring_host_new(sw);
	if (!cs->dgram || !cs->rings ||
	    open_dir(cs, cf->dir ? cf->dir : default_dir()))
		goto fail;
	rc = acceptor_start(&cs->acceptor, sw->loop, cs->fd, cs->ctl, accepted);
	if (!rc)
		return cs;
	log_err("unable to accept on %s: %s", cs->ctl, strerror(-rc));
fail:
	ctlsock_free(cs);
	return NULL;
}

void ctlsock_free(struct ctlsock *cs)
{
	if (!cs)
		return;
	list_for_each_safe(it, next, &cs->pending) {
		pending_free(list_entry(it, struct pending, node), true);
	}
	acceptor_stop(&cs->acceptor);
	if (cs->fd >= 0) {
		close(cs->fd);
		unixsock_unlink(cs->ctl, cs->ctl_id);
	}
	if (cs->ours && cs->dir[0])
		rmdir(cs->dir);
	dgram_shared_free(cs->dgram);
	ring_host_free(cs->rings);
	free(cs);
}

const char *ctlsock_dir(const struct ctlsock *cs)
{
	return cs->dir;
}

unsigned int ctlsock_mode(const struct ctlsock *cs)
{
	return cs->cf.mode;
}

void ctlsock_retry(struct ctlsock *cs)
{
	acceptor_retry(&cs->acceptor);
}
