/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvdeplug - plug a program into a Virtual Distributed Ethernet
 *
 * vde_open() connects to what a locator names (a switch, a tap interface, a
 * UDP peer, a command ...; see vde_locators(7)); the connection then carries
 * one Ethernet frame per call. vde_open(3) documents this interface and
 * vdestream_open(3) its byte-stream companion. The names, types and values
 * are those of VDE 2 and vdeplug4: a program needs no change.
 */
#ifndef LIBVDEPLUG_H
#define LIBVDEPLUG_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LIBVDEPLUG_INTERFACE_VERSION 1

#define VDE_MAXMTU 9216
#define VDE_ETHBUFSIZE (VDE_MAXMTU + 14 + 4) /* Ethernet header, 802.1Q tag */

struct vdeconn;
typedef struct vdeconn VDECONN;

struct vde_open_args {
	int port; /* of the switch; 0: any, negative: the management port 0 */
	char *group; /* name or number; NULL: leave the group alone */
	mode_t mode; /* of the communication sockets; 0: 0700 */
};

/* NULL and errno on failure. @locator "" or NULL is the default switch; @args
 * may be NULL. Nothing of the caller's is modified or kept. */
#define vde_open(locator, descr, args) \
	vde_open_real((locator), (descr), LIBVDEPLUG_INTERFACE_VERSION, (args))
VDECONN *vde_open_real(char *locator, char *descr, int interface_version,
		       struct vde_open_args *args);

/* One frame; a longer one is cut at @len. 1 means that there was an event but
 * no frame, 0 that the peer has closed, -1 an error with errno. Of @flags only
 * MSG_DONTWAIT counts, here and in vde_send(). */
ssize_t vde_recv(VDECONN *conn, void *buf, size_t len, int flags);

ssize_t vde_send(VDECONN *conn, const void *buf, size_t len, int flags);

/* Readable while vde_recv() has something to do, writable while vde_send()
 * has room. Only poll it. */
int vde_datafd(VDECONN *conn);

/* Silent; readable or hung up when the switch has gone. -1: there is none. */
int vde_ctlfd(VDECONN *conn);

int vde_close(VDECONN *conn);

/* Frames over a byte stream, each behind a big-endian length of two bytes. */

struct vdestream;
typedef struct vdestream VDESTREAM;

#define PACKET_LENGTH_ERROR 1 /* the peer announced an impossible length */

/* @frecv gets each frame, @ferr (may be NULL) what went wrong. */
VDESTREAM *vdestream_open(void *opaque, int fdout,
			  ssize_t (*frecv)(void *opaque, void *buf,
					   size_t count),
			  void (*ferr)(void *opaque, int type, char *format,
				       ...));

/* Writes one frame to fdout. Bytes written with the length, 0 if the frame is
 * too long for the stream, -1 and errno. */
ssize_t vdestream_send(VDESTREAM *vs, const void *buf, size_t len);

/* Takes any piece of the incoming stream. */
void vdestream_recv(VDESTREAM *vs, unsigned char *buf, size_t len);

/* Leaves fdout open. */
void vdestream_close(VDESTREAM *vs);

#ifdef __cplusplus
}
#endif

#endif
