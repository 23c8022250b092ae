/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_BPF_LOG_H
#define SYNWARD_PLATFORM_BPF_LOG_H

#include <stdbool.h>

/*
 * Takes what libbpf has to say: with verbose it goes to stderr, else only its essence is kept.
 * Call once.
 */
void sw_bpf_log_start(bool verbose);

/*
 * The verifier's or libbpf's own reason for the last failure in one line, "" if there was none.
 * Valid until libbpf says more.
 */
const char *sw_bpf_log_reason(void);

#endif
