/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd - the command tables of the switch's console
 *
 * Every handler gets the struct vswitch as context. The formats of the text
 * output are VDE 2's, byte for byte; the JSON keys are listed in
 * vde_console(7).
 */
#ifndef SWITCH_CMD_H
#define SWITCH_CMD_H

#include "switch/vswitch.h"

extern const struct mgmt_table ds_table;
extern const struct mgmt_table sys_table;
extern const struct mgmt_table debug_table;
extern const struct mgmt_table plugin_table;
extern const struct mgmt_table hash_table;
extern const struct mgmt_table stp_table;
extern const struct mgmt_table port_table;
extern const struct mgmt_table vlan_table;
extern const struct mgmt_table tap_table;
extern const struct mgmt_table if_table;
extern const struct mgmt_table capture_table;
extern const struct mgmt_table loopguard_table;
extern const struct mgmt_table guard_table;
extern const struct mgmt_table mirror_table;
extern const struct mgmt_table mcast_table;
extern const struct mgmt_table metrics_table;

/* Fills sw->mgmt with all of them, in the order of help. */
void cmd_init(struct vswitch *);
/* At the end of help; its rows must outlive their presence. 0 or -ENOSPC. */
int cmd_add_table(struct vswitch *, const struct mgmt_table *);
/* What still runs of it ends. Not from a handler of its own. */
void cmd_del_table(struct vswitch *, const struct mgmt_table *);

/* Banner of the console, also shown by showinfo. */
#define SWITCH_BANNER                                                  \
	"VDE switch V." VDE_VERSION "\n"                               \
	"(C) Virtual Square Team (coord. R. Davoli) 2005,2006,2007 - " \
	"GPLv2\n"

/* What guards the port, also for port/print in JSON. */
void cmd_guard_facts(struct writer *, const struct port *);
/* What is set for a port's spanning trees, in JSON. */
void cmd_stp_facts(struct writer *, const struct vswitch *, unsigned int port);

/* An octal file mode, "0600", as text and JSON string. */
void cmd_mode(struct writer *, const char *key, const char *piece,
	      unsigned int mode);

#endif
