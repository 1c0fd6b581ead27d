// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vdeplug - the public calls: find the connector that a locator names, then
 * pass every call on to it
 */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "lib/conn.h"
#include "lib/defaults.h"
#include "lib/locator.h"

#define DESCR_SIZE 128

/* Debian's library has it; nobody is known to read it. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
VDE_API extern const uint64_t __vde_version_tag;
const uint64_t __vde_version_tag = 4;

static const struct connector {
	const char *module;
	conn_open_fn *open;
} connectors[] = {
	{ "vde", conn_open_switch },
	{ "ptp", conn_open_ptp },
	{ "tap", conn_open_tap },
	{ "udp", conn_open_udp },
	{ "cmd", conn_open_cmd },
	{ "null", conn_open_null },
	{ "seqpacket", conn_open_seqpacket },
};

static int open_module(const struct locator *l, const struct conn_args *args,
		       struct vdeconn **out)
{
	for (size_t i = 0; i < ARRAY_SIZE(connectors); i++)
		if (strcmp(l->module, connectors[i].module) == 0)
			return connectors[i].open(l->address, args, out);
	return conn_open_plugin(l->module, l->address, args, out);
}

static bool is_literal_path(const char *s)
{
	struct stat st;

	return stat(s, &st) == 0 &&
	       (S_ISDIR(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* VDE 2 wrote UDP cables without a module. */
static bool is_udp(const char *s)
{
	struct locator_udp u;

	return !strchr(s, '/') && locator_parse_udp(&u, s) == 0;
}

/* Something that exists is meant as it is written, whatever quotation marks
 * and brackets are in it. */
static int open_text(const char *s, const struct conn_args *args,
		     struct vdeconn **out)
{
	struct locator l;
	int rc = locator_split(&l, s);

	if (rc < 0)
		return rc;
	if (l.bare && is_literal_path(s))
		return conn_open_switch_path(s, args, out);
	if (l.bare && is_udp(s))
		return conn_open_udp(s, args, out);
	return open_module(&l, args, out);
}

/* A locator may be in a file, and that is in the user's default. */
static int open_locator(const char *s, const struct conn_args *args,
			struct vdeconn **out)
{
	char path[LOCATOR_SIZE], *line;
	int rc;

	if (!*s && defaults_user(path, sizeof(path)) == 0)
		s = path;
	line = malloc(LOCATOR_SIZE);
	if (!line)
		return -ENOMEM;
	rc = defaults_read(s, line, LOCATOR_SIZE);
	if (rc >= 0)
		rc = open_text(rc ? line : s, args, out);
	free(line);
	return rc;
}

/* What the switch prints about us: who we are and where we came from. */
static void describe(char *s, size_t size, const char *descr)
{
	const char *ssh = getenv("SSH_CLIENT");
	uid_t uid = geteuid();
	struct passwd pw, *found = NULL;
	struct strbuf b;
	char buf[4096];

	strbuf_init(&b, s, size);
	strbuf_add(&b, descr);
	if (getpwuid_r(uid, &pw, buf, sizeof(buf), &found) == 0 && found)
		strbuf_fmt(&b, " user=%s", found->pw_name);
	else
		strbuf_fmt(&b, " user=%u", uid);
	strbuf_fmt(&b, " pid=%d", (int)getpid());
	if (ssh && *ssh) {
		strbuf_add(&b, " SSH=");
		strbuf_addn(&b, ssh, strcspn(ssh, " \t"));
	}
}

VDE_API VDECONN *vde_open_batch(char *locator, char *descr,
				struct vde_open_args *args, unsigned int takes)
{
	char whole[DESCR_SIZE];
	struct conn_args ca = { whole, .mode = CONN_MODE, .given = args,
				.takes = takes };
	struct vdeconn *conn = NULL;
	int rc;

	if (args) {
		ca.port = args->port;
		ca.group = args->group;
		if (args->mode)
			ca.mode = args->mode;
	}
	describe(whole, sizeof(whole), descr ? descr : "");
	rc = open_locator(locator ? locator : "", &ca, &conn);
	if (rc < 0) {
		errno = -rc;
		return NULL;
	}
	conn->batch_only = takes != 0;
	return conn;
}

VDE_API VDECONN *vde_open_real(char *locator, char *descr,
			       int interface_version,
			       struct vde_open_args *args)
{
	if (args && interface_version != LIBVDEPLUG_INTERFACE_VERSION) {
		errno = EINVAL;
		return NULL;
	}
	return vde_open_batch(locator, descr, args, 0);
}

static ssize_t to_errno(ssize_t rc)
{
	if (rc >= 0)
		return rc;
	errno = (int)-rc;
	return -1;
}

/* A frame by itself has no place for what is left undone. */
static int check_classic(const struct vdeconn *conn)
{
	if (!conn)
		return -EBADF;
	return conn->batch_only ? -EOPNOTSUPP : 0;
}

VDE_API ssize_t vde_recv(VDECONN *conn, void *buf, size_t len, int flags)
{
	int rc = check_classic(conn);

	return to_errno(
		rc ? rc
		   : conn->ops->recv(conn, buf, len, flags & MSG_DONTWAIT));
}

VDE_API ssize_t vde_send(VDECONN *conn, const void *buf, size_t len, int flags)
{
	int rc = check_classic(conn);

	if (rc || !len)
		return to_errno(rc);
	return to_errno(conn->ops->send(conn, buf, len, flags & MSG_DONTWAIT));
}

VDE_API int vde_datafd(VDECONN *conn)
{
	return conn ? conn->data_fd : (int)to_errno(-EBADF);
}

VDE_API int vde_ctlfd(VDECONN *conn)
{
	return conn ? conn->ctl_fd : (int)to_errno(-EBADF);
}

VDE_API int vde_close(VDECONN *conn)
{
	if (!conn)
		return (int)to_errno(-EBADF);
	conn->ops->close(conn);
	return 0;
}

VDE_API int vde_recv_batch(VDECONN *conn, struct vde_frame *frames, int n)
{
	if (!conn)
		return -EBADF;
	if (n > VDE_BATCH_MAX)
		n = VDE_BATCH_MAX;
	return n > 0 ? conn->ops->recv_batch(conn, frames, n) : -EINVAL;
}

/* How many frames, from the first on, have no more left to do than the other
 * side does. */
static int bearable(const struct vdeconn *c, const struct vde_frame *f, int n)
{
	for (int i = 0; i < n; i++) {
		const struct frame_offload o = batch_offload(&f[i]);

		if (!offload_is_none(&o) && !offload_fits(&o, c->takes))
			return i;
	}
	return n;
}

VDE_API int vde_send_batch(VDECONN *conn, const struct vde_frame *frames, int n)
{
	if (!conn)
		return -EBADF;
	if (n > VDE_BATCH_MAX)
		n = VDE_BATCH_MAX;
	n = bearable(conn, frames, n);
	return n > 0 ? conn->ops->send_batch(conn, frames, n) : -EINVAL;
}

VDE_API unsigned int vde_offloads(VDECONN *conn)
{
	return conn ? conn->takes : 0;
}

VDE_API int vde_sendfd(VDECONN *conn, short *events)
{
	*events = POLLOUT;
	return conn ? conn->data_fd : -EBADF;
}
