/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * conn - what every kind of connection looks like from inside the library
 *
 * A locator's module names a connector; its open function returns an object
 * that starts with struct vdeconn and whose operations move the frames. A new
 * transport is one more file with an open function and a struct conn_ops;
 * vdeplug.c knows nothing else about it. Inside the library every function
 * returns -errno on failure.
 */
#ifndef LIB_CONN_H
#define LIB_CONN_H

#include <sys/types.h>

#include "lib/batch.h"
#include "lib/libvdeplug.h"

/* Everything else is hidden. */
#define VDE_API __attribute__((visibility("default")))

struct conn_ops {
	/* One frame, as vde_recv(3) and vde_send(3) describe. May block on a
	 * blocking data descriptor, unless @flags is MSG_DONTWAIT; it is that
	 * or 0. @send is never called with 0 bytes. */
	ssize_t (*recv)(struct vdeconn *, void *buf, size_t len, int flags);
	ssize_t (*send)(struct vdeconn *, const void *buf, size_t len,
			int flags);
	/* Up to @n >= 1 frames, as libvdeplug_batch.h describes. Never blocks. */
	int (*recv_batch)(struct vdeconn *, struct vde_frame *, int n);
	int (*send_batch)(struct vdeconn *, const struct vde_frame *, int n);
	/* Releases the object with its descriptors. Called once. */
	void (*close)(struct vdeconn *);
};

struct vdeconn {
	const struct conn_ops *ops;
	/* Readable exactly while @recv has something to do, writable while
	 * @send has room. */
	int data_fd;
	int ctl_fd; /* -1: none */
	unsigned int takes; /* what the peer does: vde_offloads() */
	bool batch_only; /* @recv and @send are not called, there may be none */
};

/* What vde_open() was asked for besides the locator. */
struct conn_args {
	const char *descr; /* whole, as a switch shall see it */
	int port; /* 0: any, negative: the management port */
	const char *group; /* NULL: none given */
	mode_t mode;
	const struct vde_open_args *given; /* the caller's own, or NULL */
	unsigned int takes; /* what the caller does: vde_open_batch() */
};

#define CONN_MODE 0700 /* of sockets, when the caller names none */

/* @address is the locator after "module://". 0 and *@out, or -errno. */
typedef int conn_open_fn(const char *address, const struct conn_args *args,
			 struct vdeconn **out);

conn_open_fn conn_open_switch;
conn_open_fn conn_open_ptp;
conn_open_fn conn_open_tap;
conn_open_fn conn_open_udp;
conn_open_fn conn_open_cmd;
conn_open_fn conn_open_null;
conn_open_fn conn_open_seqpacket;

/* Looks for a module that is not built in. */
int conn_open_plugin(const char *module, const char *address,
		     const struct conn_args *args, struct vdeconn **out);

/* The same for a path in which nothing is quoted and no option follows. */
conn_open_fn conn_open_switch_path;

/* A group by name or number. 0 or -EINVAL. */
int conn_group(const char *name, gid_t *gid);

#endif
