// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions that the kernel itself does not have, libbpf looks for in its modules: conntrack's, say. To list modules
 * takes CAP_SYS_ADMIN, and libbpf before 1.2 takes a refusal for the end of everything, where later ones go on
 * without. What is looked for there can be done without, so to whoever may not look there are no modules. The
 * linker takes this function for the library's own of that name, also where the library itself calls it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int bpf_btf_get_next_id(__u32 start_id, __u32 *next_id)
{
	union bpf_attr attr = { .start_id = start_id };

	if (!syscall(SYS_bpf, BPF_BTF_GET_NEXT_ID, &attr, sizeof(attr))) {
		*next_id = attr.next_id;
		return 0;
	}
	if (errno == EPERM)
		errno = ENOENT;
	return -errno;
}
