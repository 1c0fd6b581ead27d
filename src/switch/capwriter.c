// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/capwriter.h"

#include <stdlib.h>

#include "base/strbuf.h"

#define PROGRAM "vde_switch " VDE_VERSION
#define SECTION_MAX 256
#define INTERFACE_MAX 2048 /* name, description, filter */
#define STATS_MAX 128

struct capwriter_port {
	bool described;
	uint32_t interface;
	uint64_t seen, lost; /* lost ones were seen too */
	uint64_t gap; /* lost since the last that was put */
};

bool capwriter_start(struct capwriter *cw, size_t size, uint32_t snaplen,
		     const char *filter, uint64_t now_ns)
{
	uint8_t *p;

	capwriter_fini(cw);
	if (!capbuf_init(&cw->buf, size))
		return false;
	cw->filter = filter;
	cw->snaplen = snaplen;
	cw->start_ns = now_ns;
	p = capbuf_room(&cw->buf, SECTION_MAX);
	if (!p)
		return false;
	capbuf_add(&cw->buf, pcapng_put_section(p, SECTION_MAX, PROGRAM));
	return true;
}

void capwriter_fini(struct capwriter *cw)
{
	capbuf_fini(&cw->buf);
	free(cw->ports);
	*cw = (struct capwriter){ 0 };
}

/* NULL without memory. */
static struct capwriter_port *find(struct capwriter *cw, const struct port *p)
{
	size_t n = (size_t)p->id + 1;
	struct capwriter_port *ports;

	if (n <= cw->n_ports)
		return &cw->ports[p->id];
	if (n < 2 * cw->n_ports)
		n = 2 * cw->n_ports;
	ports = realloc(cw->ports, n * sizeof(*ports));
	if (!ports)
		return NULL;
	memset(ports + cw->n_ports, 0, (n - cw->n_ports) * sizeof(*ports));
	cw->ports = ports;
	cw->n_ports = n;
	return &ports[p->id];
}

/* The newest endpoint speaks for the port, if one is there. */
static const char *describe_port(const struct port *p)
{
	const struct endpoint *ep;

	if (!p || !port_is_active(p))
		return NULL;
	ep = list_entry(p->endpoints.next, struct endpoint, node);
	return ep->descr[0] ? ep->descr : NULL;
}

static bool describe(struct capwriter *cw, struct capwriter_port *cp,
		     unsigned int id, const struct port *port)
{
	uint8_t *to = capbuf_room(&cw->buf, INTERFACE_MAX);
	char name[24];
	struct pcapng_interface i = { .name = name,
				      .descr = describe_port(port),
				      .filter = cw->filter,
				      .snaplen = cw->snaplen };
	size_t len;

	if (!to || str_fmt(name, sizeof(name), "port %u", id) < 0)
		return false;
	len = pcapng_put_interface(to, INTERFACE_MAX, &i);
	if (!len)
		return false;
	capbuf_add(&cw->buf, len);
	cp->interface = cw->interfaces++;
	cp->described = true;
	return true;
}

bool capwriter_put(struct capwriter *cw, const struct port *port,
		   struct pcapng_packet *pkt)
{
	struct capwriter_port *cp = find(cw, port);
	size_t need = (size_t)pkt->len + PCAPNG_PACKET_EXTRA, len;
	uint8_t *to;

	if (!cp || (!cp->described && !describe(cw, cp, port->id, port)))
		return false;
	to = capbuf_room(&cw->buf, need);
	if (!to)
		return false;
	pkt->interface = cp->interface;
	pkt->lost = cp->gap;
	len = pcapng_put_packet(to, need, pkt);
	if (!len)
		return false;
	capbuf_add(&cw->buf, len);
	cp->gap = 0;
	cp->seen++;
	return true;
}

void capwriter_lose(struct capwriter *cw, const struct port *port)
{
	struct capwriter_port *cp = find(cw, port);

	if (!cp)
		return;
	cp->seen++;
	cp->lost++;
	cp->gap++;
}

static bool put_stats(struct capwriter *cw, size_t id, uint64_t now_ns)
{
	struct capwriter_port *cp = &cw->ports[id];
	struct pcapng_stats st = { .start_ns = cw->start_ns,
				   .end_ns = now_ns,
				   .seen = cp->seen,
				   .lost = cp->lost };
	uint8_t *to;

	if (!cp->described && !describe(cw, cp, (unsigned int)id, NULL))
		return false;
	to = capbuf_room(&cw->buf, STATS_MAX);
	if (!to)
		return false;
	st.interface = cp->interface;
	capbuf_add(&cw->buf, pcapng_put_stats(to, STATS_MAX, &st));
	return true;
}

bool capwriter_finish(struct capwriter *cw, uint64_t now_ns)
{
	for (; cw->next < cw->n_ports; cw->next++)
		if (cw->ports[cw->next].seen &&
		    !put_stats(cw, cw->next, now_ns))
			return false;
	return true;
}
