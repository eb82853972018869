# forking.s - an HTTP server that gives every connection a process of its own.
#
#       forking [PORT]
#
# This file is the parent: it accepts a connection, forks, and goes back to accept the next.
# The child closes the listening socket and answers (forking/serve.s); the parent closes the
# connection. Neither can disturb the other: a child that goes wrong takes nobody with it, its
# deadline is its own alarm clock, and its memory and descriptors go when it goes.
#
#       forking.s               the parent: accept, fork, reap, stop
#       forking/start.s         port, signals, listening socket
#       forking/report.s        what is said on standard output and standard error
#       forking/serve.s         the child: from the connection to the answer
#       forking/head.s          reads bytes up to the end of the headers
#       forking/request.s       makes sense of them
#       forking/answer.s        writes the answer
#       forking/stream.s        receive and send, whole
#       forking/text.s          texts and numbers put together
#       forking/page.html       what GET is answered with
#
# How it waits. SIGCHLD, SIGTERM and SIGINT are blocked and read from a descriptor instead
# (signalfd), so that one poll waits for "a client", "a child has ended" and "stop" alike, and
# none of them can slip in between a test and the wait that follows it. Children inherit the
# blocked signals: a SIGTERM sent to the whole process group lets them finish.

        .intel_syntax noprefix
        .include "linux-gas.inc"
        .include "forking/forking.inc"

NONE                    = -1        # in place of a descriptor; close and poll pass over it

# What poll is asked to wait for, as offsets into `events`.
SIGNAL_EVENT            = 0 * POLLFD_SIZE
CLIENT_EVENT            = 1 * POLLFD_SIZE
EVENT_COUNT             = 2

        .global _start

# _start - the program's first instruction; also all of the parent's life.
#
# In:      rsp      argc, argv
# Errors:  the calls that set up end the program with a line on standard error
#
# For the length of this routine:
#   ebx    the listening socket, or NONE once the program is to stop
#   ebp    the signal descriptor
#   r12d   children that run
#   r13d   a connection that has been accepted and has no process yet, or NONE
#   r14d   how long the next poll may wait: for ever, or RETRY_MS after a shortage
        .text
_start: mov     rdi, [rsp + START_argc]
        lea     rsi, [rsp + START_argv]
        call    choose_port
        mov     r12d, eax

        call    arrange_signals
        mov     ebp, eax
        mov     edi, r12d
        call    open_listener
        mov     ebx, eax
        mov     edi, eax
        call    announce

        xor     r12d, r12d
        mov     r13d, NONE
        mov     r14d, POLL_FOREVER

        # Told to stop, and nobody is left to be answered? Then this was all.
.Lnext: cmp     ebx, NONE
        jne     .Lwait
        cmp     r13d, NONE
        jne     .Lwait
        test    r12d, r12d
        jnz     .Lwait
        xor     edi, edi
        mov     eax, SYS_exit_group
        syscall

        # Clients are of interest only while there is room for one more child, while no
        # connection is in hand, and while nothing has just run short.
.Lwait: mov     eax, NONE
        cmp     r12d, MAX_CHILDREN
        jae     .Lpoll
        cmp     r13d, NONE
        jne     .Lpoll
        cmp     r14d, POLL_FOREVER
        jne     .Lpoll
        mov     eax, ebx
.Lpoll: lea     rdi, [rip + events]
        mov     [rdi + CLIENT_EVENT + POLLFD_fd], eax
        mov     word ptr [rdi + CLIENT_EVENT + POLLFD_events], POLLIN
        mov     [rdi + SIGNAL_EVENT + POLLFD_fd], ebp
        mov     word ptr [rdi + SIGNAL_EVENT + POLLFD_events], POLLIN
        mov     esi, EVENT_COUNT
        mov     edx, r14d
        mov     eax, SYS_poll
        syscall
        cmp     eax, -EINTR                     # stopped and continued, say
        je      .Lnext
        test    eax, eax
        js      .Lpoll_failed
        mov     r14d, POLL_FOREVER

        # Signals first: they may bring the room that a client needs.
        cmp     word ptr [rip + events + SIGNAL_EVENT + POLLFD_revents], 0
        je      .Lclient
        mov     edi, ebp
        lea     rsi, [rip + signal]
        mov     edx, SIGNALFD_SIGINFO_SIZE
        mov     eax, SYS_read
        syscall
        cmp     eax, SIGNALFD_SIGINFO_SIZE
        jne     .Lclient
        cmp     dword ptr [rip + signal + SIGNALFD_SIGINFO_signo], SIGCHLD
        je      .Lreap

        # SIGTERM or SIGINT: no more clients; the children have their time to finish.
        mov     edi, ebx
        mov     eax, SYS_close
        syscall
        mov     ebx, NONE
        mov     word ptr [rip + events + CLIENT_EVENT + POLLFD_revents], 0
        jmp     .Lclient

        # Several children may have ended for one SIGCHLD, so collect until there is none.
.Lreap: mov     edi, ANY_CHILD
        xor     esi, esi                        # the status does not matter:
        mov     edx, WNOHANG                    # a child may well have met its deadline
        xor     r10d, r10d
        mov     eax, SYS_wait4
        syscall
        test    eax, eax
        jle     .Lclient
        xor     esi, esi
        call    replace_child
        jne     .Lreap                          # not ours: a child of who was here before exec
        dec     r12d
        jmp     .Lreap

        # A client is served once there is room: the one in hand first.
.Lclient:
        cmp     r12d, MAX_CHILDREN
        jae     .Lnext
        cmp     r13d, NONE
        jne     .Lfork
        cmp     word ptr [rip + events + CLIENT_EVENT + POLLFD_revents], 0
        je      .Lnext
        mov     edi, ebx
        xor     esi, esi                        # who it is does not matter
        xor     edx, edx
        mov     r10d, SOCK_CLOEXEC
        mov     eax, SYS_accept4
        syscall
        mov     r13d, eax
        test    eax, eax
        jns     .Lfork

        # A client that has gone already is no shortage. Anything else (no descriptor, no
        # memory) is still there a moment later, so asking again at once would only spin.
        mov     r13d, NONE
        cmp     eax, -ECONNABORTED
        je      .Lnext
        cmp     eax, -EAGAIN
        je      .Lnext
        cmp     eax, -EINTR
        je      .Lnext
        mov     r14d, RETRY_MS
        jmp     .Lnext

.Lfork: mov     eax, SYS_fork
        syscall
        test    eax, eax
        jz      .Lchild
        js      .Lno_process
        mov     esi, eax
        xor     eax, eax                        # 0 marks a free place
        call    replace_child
        inc     r12d
.Lhang_up:
        mov     edi, r13d
        mov     eax, SYS_close
        syscall
        mov     r13d, NONE
        jmp     .Lnext

        # No process to be had: the connection waits in hand. A child's end may make room, or
        # some other program's. When stopping with no child left, it has waited long enough.
.Lno_process:
        mov     r14d, RETRY_MS
        cmp     ebx, NONE
        jne     .Lnext
        test    r12d, r12d
        jnz     .Lnext
        jmp     .Lhang_up

.Lchild:
        mov     edi, ebx
        mov     eax, SYS_close
        syscall
        mov     edi, ebp
        mov     eax, SYS_close
        syscall
        mov     edi, r13d
        jmp     serve_connection

.Lpoll_failed:
        lea     rdi, [rip + call_poll]
        jmp     fail

# replace_child - put one process number in the place of another, in the table of children.
#
# In:      eax      the number to look for; 0 finds a free place
#          esi      the number to put there; 0 frees the place
# Out:     ZF       set when it was found, else nothing has changed
# Clobbers: rcx, rdi
replace_child:
        lea     rdi, [rip + children]
        mov     ecx, MAX_CHILDREN
        repne scasd                             # leaves rdi one past the place
        jne     .Lunknown
        mov     [rdi - PID_SIZE], esi
.Lunknown:
        ret

        .section .rodata
        counted call_poll, "poll"

        .bss
        .balign 8
events: .skip   EVENT_COUNT * POLLFD_SIZE
signal: .skip   SIGNALFD_SIGINFO_SIZE
children:
        .skip   MAX_CHILDREN * PID_SIZE

        .section .note.GNU-stack, "", @progbits
