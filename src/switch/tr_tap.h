/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tr_tap - kernel tap interfaces as ports
 */
#ifndef SWITCH_TR_TAP_H
#define SWITCH_TR_TAP_H

#include "switch/vswitch.h"

/* Opens interface @name (created if need be) on the first free port. Returns
 * the port number, or -errno: -EEXIST if this switch has it already,
 * as a tap or otherwise. */
int tap_add(struct vswitch *, const char *name);
/* -ENODEV: no tap of this switch has that name. */
int tap_del(struct vswitch *, const char *name);

#endif
