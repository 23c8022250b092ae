/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_HOOKS_HOOKS_H
#define SYNWARD_HOOKS_HOOKS_H

/*
 * The hooks of one interface of this network namespace. What is attached is pinned in the
 * directory of the interface's slot. Errors are recorded. None of these evicts what it did not
 * attach.
 */

#include "../model/snapshot.h"
#include "../platform/pins.h"

#include <synward/config.h>
#include <synward/counters.h>

struct sw_object;
struct sw_instance;
struct sw_records;

/* How the hooks of an interface are taken. */
struct sw_hook_wish {
	enum sw_mode mode;
	enum sw_tc_mode tc;
};

/*
 * Attaches and pins the ingress program, in the place of what is pinned, and notes in the record by what. Native is tried
 * first if the wish allows it, then that for frames in several buffers, which is loaded only if the driver takes such a
 * program; then TC.
 */
int sw_ingress_attach(const struct sw_pins *pins, struct sw_interface *record, uint32_t slot,
		      struct sw_object *object, const struct sw_hook_wish *wish,
		      struct sw_attach_result *result);

/*
 * Is native XDP refused where the kernel says of the driver that it has none? Asks it by a program of two instructions,
 * before ours are loaded in vain, and notes in the result why.
 */
bool sw_native_is_refused(uint32_t ifindex, struct sw_attach_result *result);

/* The same of a program of TC, by a TCX link or a clsact filter; notes in the record which. */
int sw_tc_attach(const struct sw_pins *pins, struct sw_interface *record, uint32_t slot,
		 enum sw_direction direction, int program_fd, enum sw_tc_mode mode);

/* Is it still in its place? *program gets the id of the program there, or 0. */
enum sw_health sw_ingress_health(const struct sw_pins *pins, const struct sw_interface *record,
				 uint32_t slot, uint32_t *program);
enum sw_health sw_tc_health(const struct sw_pins *pins, const struct sw_interface *record,
			    uint32_t slot, enum sw_direction direction, uint32_t *program);

/* The pin of the link of TCX of a direction, in the directory of the slot. */
const char *sw_tcx_pin(enum sw_direction direction);

/* The same for any link that tells its ifindex, by the name of its pin. */
enum sw_health sw_link_health(const struct sw_pins *pins, const char *name,
			      const struct sw_interface *record, uint32_t *program);

/* Gives a pinned link that somebody has put his program into (SW_HEALTH_FOREIGN) one of ours again, without a gap. */
int sw_link_take_back(const struct sw_pins *pins, const char *name,
		      const struct sw_interface *record, int program);

/*
 * Has the interface of a record ended together with its network namespace? Not to find that one proves nothing, so its
 * links must say it, too, if there are any. One that has gone from a namespace that goes on is told by its health.
 */
bool sw_hooks_are_gone(const struct sw_pins *pins, const struct sw_interface *record,
		       uint32_t slot);

/*
 * Can the network namespace of an interface not be found, although this process may look for it? It has ended, or only a
 * file descriptor, a mount or a process that is not seen from here leads there.
 */
bool sw_hooks_are_hidden(const struct sw_interface *record);

/* Frees the places of all of those that have ended. */
int sw_hooks_forget_gone(const struct sw_instance *instance, struct sw_records *records);

/*
 * Who sees packets before our program of that id, which is on the hook. What may not be looked at is nobody. In the
 * interface's network namespace.
 */
void sw_tc_before(const struct sw_interface *record, enum sw_direction direction, uint32_t program,
		  struct sw_programs_before *before);

/* Is the pinned link of a slot by which packets come in on an interface of this network namespace, whatever its record says? */
bool sw_ingress_is_on(const struct sw_pins *pins, uint32_t slot, uint32_t ifindex);

/* Takes all off and removes their pins; what is gone already is fine. */
int sw_hooks_detach(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot);

/*
 * Takes a pinned link off its hook at once. Removing the pin would do that, too, but only when the kernel comes to free
 * the link, some packets later. No link there is fine.
 */
int sw_link_detach(const struct sw_pins *pins, const char *name);

/* Takes off and unpins a link that was about to be pinned by that name when a command was interrupted. */
int sw_link_forget_next(const struct sw_pins *pins, const char *name);

/*
 * Takes off whatever is pinned at once, without a record. A link is found wherever it is; a clsact filter, by its
 * program, in every network namespace that can be entered. The pins stay.
 */
int sw_hooks_discard(const struct sw_pins *pins);

/* Records the line for SW_HEALTH_UNKNOWN, where it must be known. Returns -EPERM, or -ENOENT for a hidden namespace. */
int sw_hooks_unknown(const struct sw_interface *record);

/* The clsact half, used by the above. */
int sw_clsact_attach(const struct sw_pins *pins, struct sw_interface *record, uint32_t slot,
		     enum sw_direction direction, int program_fd);
enum sw_health sw_clsact_health(const struct sw_pins *pins, const struct sw_interface *record,
				uint32_t slot, enum sw_direction direction, uint32_t *program);
int sw_clsact_detach(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		     enum sw_direction direction);

/*
 * Is there a filter of ours, by its name, that is not this slot's? 0, or -EEXIST with the line that says how to
 * remove it.
 */
int sw_clsact_check(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		    enum sw_direction direction);

/* Puts another program into the live filter, without a gap. It stays as it was if that fails. */
int sw_clsact_replace(const struct sw_pins *pins, const struct sw_interface *record, uint32_t slot,
		      enum sw_direction direction, int program_fd);

/* Ends such a replacement that was interrupted: program is the id of the one that the filter has. */
int sw_clsact_settle(const struct sw_pins *pins, uint32_t slot, enum sw_direction direction,
		     uint32_t program);

/* Takes off the filters of an interface of this network namespace whose programs, by their ids, are ours. */
int sw_clsact_discard(const struct sw_pins *pins, const struct sw_interface *record,
		      enum sw_direction direction, bool (*is_ours)(void *context, uint32_t program),
		      void *context);

/*
 * Is a program, by its id, of an instance whose pin directory is beside ours? 0, or -EBUSY with the line that says whose,
 * and how to detach it there. Who may not look finds none.
 */
int sw_check_owner(const struct sw_pins *pins, const char *interface, uint32_t program);

/* Is it of our own pin directory, whichever version that is of? */
bool sw_is_own_program(const struct sw_pins *pins, uint32_t program);

/* Records the line that names the program on an interface's XDP hook. Returns -EBUSY. */
int sw_occupied(const struct sw_pins *pins, const struct sw_interface *record);

/* Is there a program on the XDP hook? And is that a synward's, or even that of our pin directory? */
bool sw_xdp_is_taken(uint32_t ifindex);
bool sw_xdp_is_synward(uint32_t ifindex);
bool sw_xdp_is_own(const struct sw_pins *pins, uint32_t ifindex);

/* Does another synward see by TCX what the interface receives? 0, or -EBUSY with its line. */
int sw_tcx_check(const struct sw_pins *pins, const struct sw_interface *record);

/*
 * Is it the one of that id? And is that one among those of a hook of TCX, which is named by its attach type? Yes, if
 * that cannot be looked at.
 */
bool sw_xdp_has_program(uint32_t ifindex, uint32_t program);
bool sw_tcx_has_program(uint32_t ifindex, uint32_t hook, uint32_t program);

#endif
