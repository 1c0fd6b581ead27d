// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * conn_plugin - modules of vdeplug4 that are installed on this machine
 *
 * Module M is libvdeplug_M.so, a shared object that exports vdeplug_ops. It
 * allocates the connection; the first two pointers of that object are ours.
 * A module's code runs in the host program, so only the library's own places
 * are searched when the program has more rights than its user.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/strbuf.h"
#include "lib/conn.h"
#include "lib/locator.h"

/* Fixed by the modules that exist. */
struct plugin_ops {
	int flags;
	void *(*open)(char *address, char *descr, int version,
		      struct vde_open_args *args);
	ssize_t (*recv)(void *obj, void *buf, size_t len, int flags);
	ssize_t (*send)(void *obj, const void *buf, size_t len, int flags);
	int (*datafd)(void *obj);
	int (*ctlfd)(void *obj);
	int (*close)(void *obj);
};

struct plugin_object {
	void *handle;
	struct plugin_ops *ops;
};

struct plugin {
	struct vdeconn conn;
	void *handle;
	struct plugin_ops *ops;
	struct plugin_object *obj;
};

static struct plugin *plugin_of(struct vdeconn *c)
{
	return container_of(c, struct plugin, conn);
}

/* A module that fails without a reason must not look like success. */
static int last_error(void)
{
	return errno ? -errno : -EIO;
}

static bool is_ready(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, 0) > 0;
}

/* Modules do not look at flags. */
static ssize_t plugin_recv(struct vdeconn *c, void *buf, size_t len, int flags)
{
	struct plugin *p = plugin_of(c);
	ssize_t n;

	if (flags & MSG_DONTWAIT && !is_ready(c->data_fd, POLLIN))
		return -EAGAIN;
	n = p->ops->recv(p->obj, buf, len, 0);
	return n < 0 ? last_error() : n;
}

static ssize_t plugin_send(struct vdeconn *c, const void *buf, size_t len,
			   int flags)
{
	struct plugin *p = plugin_of(c);
	ssize_t n = p->ops->send(p->obj, buf, len, flags);

	return n < 0 ? last_error() : n;
}

static int plugin_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	int got = 0;

	for (int i = 0; i < n && is_ready(c->data_fd, POLLIN); i++) {
		ssize_t len = plugin_recv(c, f[got].data, f[got].len, 0);

		if (len < 0)
			return got ? got : (int)len;
		if (len <= 1)
			continue;
		f[got].len = (size_t)len;
		f[got].offload = (struct vde_offload){ 0 };
		got++;
	}
	return got ? got : -EAGAIN;
}

static int plugin_send_batch(struct vdeconn *c, const struct vde_frame *f,
			     int n)
{
	for (int i = 0; i < n; i++) {
		ssize_t len = plugin_send(c, f[i].data, f[i].len, 0);

		if (len < 0)
			return i ? i : (int)len;
	}
	return n;
}

static void plugin_close(struct vdeconn *c)
{
	struct plugin *p = plugin_of(c);

	p->ops->close(p->obj);
	dlclose(p->handle);
	free(p);
}

static const struct conn_ops plugin_ops = {
	.recv = plugin_recv,
	.send = plugin_send,
	.recv_batch = plugin_recv_batch,
	.send_batch = plugin_send_batch,
	.close = plugin_close,
};

static void *load(const char *dir, size_t dir_len, const char *sub,
		  const char *file)
{
	char path[PATH_MAX];

	if (!dir_len || str_fmt(path, sizeof(path), "%.*s/%s%s", (int)dir_len,
				dir, sub, file) < 0)
		return NULL;
	return dlopen(path, RTLD_LAZY | RTLD_LOCAL);
}

/* @sub below each element of a colon-separated list. */
static void *load_from_list(const char *list, const char *sub, const char *file)
{
	void *handle = NULL;

	while (list && *list && !handle) {
		size_t n = strcspn(list, ":");

		handle = load(list, n, sub, file);
		list += n + (list[n] == ':');
	}
	return handle;
}

/* Beside the shared object @name that @symbol is in: ours, and libc, which
 * sits in the directory of the distribution's libraries. The name of a program
 * that we are linked into is what its caller says, so that is not trusted. */
static void *load_beside(const void *symbol, const char *name, const char *file)
{
	Dl_info info;
	const char *slash;
	void *handle;
	size_t n;

	if (!dladdr(symbol, &info) || !info.dli_fname)
		return NULL;
	slash = strrchr(info.dli_fname, '/');
	if (!slash || strncmp(slash + 1, name, strlen(name)) != 0)
		return NULL;
	n = (size_t)(slash - info.dli_fname);
	handle = load(info.dli_fname, n, "vdeplug/", file);
	return handle ? handle : load(info.dli_fname, n, "", file);
}

static void *find_module(const char *module)
{
	const char *only = secure_getenv("VDEPLUGIN_PATH");
	char file[sizeof("libvdeplug_.so") + LOCATOR_MODULE_SIZE];
	void *handle;

	str_fmt(file, sizeof(file), "libvdeplug_%s.so", module);
	if (only)
		return load_from_list(only, "", file);
	handle = load_beside(&plugin_ops, "libvdeplug.so", file);
	if (!handle)
		handle = load_from_list(secure_getenv("LD_LIBRARY_PATH"),
					"vdeplug/", file);
	if (!handle)
		handle = load_from_list("/lib:/usr/lib", "vdeplug/", file);
	if (!handle)
		handle = load_beside(dlsym(RTLD_DEFAULT, "getpid"), "libc.so",
				     file);
	return handle ? handle : dlopen(file, RTLD_LAZY | RTLD_LOCAL);
}

/* Modules may write to what they are given. */
static int open_object(struct plugin *p, const char *address,
		       const struct conn_args *args)
{
	char *copy = strdup(address), *descr = strdup(args->descr);
	struct vde_open_args given = { 0 };
	int rc = -ENOMEM;

	if (!copy || !descr)
		goto out;
	if (args->given)
		given = *args->given;
	errno = 0;
	p->obj = p->ops->open(copy, descr, LIBVDEPLUG_INTERFACE_VERSION,
			      args->given ? &given : NULL);
	rc = p->obj ? 0 : last_error();
out:
	free(copy);
	free(descr);
	return rc;
}

int conn_open_plugin(const char *module, const char *address,
		     const struct conn_args *args, struct vdeconn **out)
{
	struct plugin *p = calloc(1, sizeof(*p));
	int rc = -EPROTONOSUPPORT;

	if (!p)
		return -ENOMEM;
	p->handle = find_module(module);
	if (p->handle)
		p->ops = dlsym(p->handle, "vdeplug_ops");
	if (p->ops)
		rc = open_object(p, address, args);
	if (rc < 0) {
		if (p->handle)
			dlclose(p->handle);
		free(p);
		return rc;
	}
	p->obj->handle = p->handle;
	p->obj->ops = p->ops;
	p->conn = (struct vdeconn){ .ops = &plugin_ops,
				    .data_fd = p->ops->datafd(p->obj),
				    .ctl_fd = p->ops->ctlfd(p->obj) };
	*out = &p->conn;
	return 0;
}
