/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inet - where in an Ethernet frame the headers of IP, TCP and UDP are
 *
 * Understands up to two VLAN tags in the bytes, IPv4 with options, and IPv6
 * with hop-by-hop, routing and destination options. Lengths inside of the
 * packet are compared with the frame only where they say where a header is;
 * the total length of IP is not looked at.
 */
#ifndef BASE_INET_H
#define BASE_INET_H

#include "base/ether.h"

#define INET_TCP 6
#define INET_UDP 17

#define INET4_HDR_LEN 20
#define INET6_HDR_LEN 40
#define TCP_HDR_LEN 20
#define UDP_HDR_LEN 8
#define INET_MAX_LEN 65535 /* IPv4 with, IPv6 without its header */

/* Offsets of fields in their headers. */
#define INET4_LEN 2
#define INET4_ID 4
#define INET4_FRAG 6
#define INET4_TTL 8
#define INET4_CSUM 10
#define INET4_ADDRS 12
#define INET6_LEN 4
#define INET6_ADDRS 8
#define TCP_SEQ 4
#define TCP_ACK 8
#define TCP_DOFF 12
#define TCP_FLAGS 13
#define TCP_WINDOW 14
#define TCP_CSUM 16
#define TCP_URGENT 18
#define UDP_LEN 4
#define UDP_CSUM 6

#define INET4_DF 0x4000
#define INET4_FRAGMENT 0x3fff /* more fragments, or an offset */

/* Flags of TCP. */
#define TCPF_FIN 0x01
#define TCPF_PSH 0x08
#define TCPF_ACK 0x10
#define TCPF_ECE 0x40
#define TCPF_CWR 0x80

struct inet {
	uint16_t l3; /* offset of what follows the Ethernet header and tags */
	uint16_t l4; /* of the transport header; 0: there is none */
	uint16_t payload; /* behind a TCP or UDP header; 0: there is none */
	uint8_t version; /* 4, 6; 0: not IP */
	uint8_t proto; /* of the transport header */
	bool fragment; /* its transport header, if any, is not @l4's whole */
	bool options; /* of IPv4, or extension headers of IPv6 */
};

/* Reads the first @len bytes of a frame. False when they end inside of the
 * Ethernet or IP header, or the IP header contradicts itself. */
bool inet_parse(struct inet *, const uint8_t *frame, size_t len);
/* The same of a packet without a frame: @l3 is 0. False if it is not IP. */
bool inet_parse_ip(struct inet *, const uint8_t *packet, size_t len);

#endif
