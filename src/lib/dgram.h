/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dgram - frames as datagrams: what the socket transports share
 */
#ifndef LIB_DGRAM_H
#define LIB_DGRAM_H

#include "lib/conn.h"

/* Operations of a connection that is a connected socket with one frame per
 * message and needs no more than closing its descriptors and free(). */
extern const struct conn_ops dgram_ops;

/* An object that is nothing but its descriptors; dgram_close() ends it.
 * @ctl_fd may be -1. 0, or -errno and the descriptors are still the caller's. */
int dgram_conn_new(const struct conn_ops *, int data_fd, int ctl_fd,
		   struct vdeconn **out);

ssize_t dgram_recv(struct vdeconn *, void *buf, size_t len, int flags);
ssize_t dgram_send(struct vdeconn *, const void *buf, size_t len, int flags);
int dgram_recv_batch(struct vdeconn *, struct vde_frame *, int n);
/* With the empty datagrams left in, which drop_empty() then removes. */
int dgram_recv_raw(int fd, struct vde_frame *, int n);
int dgram_drop_empty(struct vde_frame *, int n);
int dgram_send_batch(struct vdeconn *, const struct vde_frame *, int n);
void dgram_close(struct vdeconn *);

#endif
