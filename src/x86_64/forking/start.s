# start.s - what stands before the first client: the port, the signals, the listening socket.

        .intel_syntax noprefix
        .include "linux-gas.inc"
        .include "forking/forking.inc"

        .global choose_port, arrange_signals, open_listener

PORT_MAX                = 65535
ARGC_NO_PORT            = 1         # argc counts the program's own name
ARGC_PORT               = 2
STOP_SIGNALS            = (1 << (SIGTERM - 1)) | (1 << (SIGINT - 1))
BLOCKED_SIGNALS         = STOP_SIGNALS | (1 << (SIGCHLD - 1))

        .text
# choose_port - the port that the arguments name.
#
# In:      rdi      argc
#          rsi      argv
# Out:     eax      the port; DEFAULT_PORT when none is named
# Clobbers: rcx, rsi
# Errors:  too many arguments, or no number from 0 to 65535: ends the program by usage
choose_port:
        mov     eax, DEFAULT_PORT
        cmp     rdi, ARGC_NO_PORT
        jbe     .Lchosen
        cmp     rdi, ARGC_PORT
        ja      usage
        mov     rsi, [rsi + POINTER_SIZE]       # argv[1]
        cmp     byte ptr [rsi], 0               # an empty argument is no number
        je      usage

        xor     eax, eax
.Ldigit:
        movzx   ecx, byte ptr [rsi]
        inc     rsi
        test    ecx, ecx
        jz      .Lchosen
        sub     ecx, '0'
        cmp     ecx, '9' - '0'                  # a byte below '0' has become a huge number
        ja      usage
        imul    eax, eax, TEN
        add     eax, ecx
        cmp     eax, PORT_MAX
        ja      usage
        jmp     .Ldigit
.Lchosen:
        ret

# arrange_signals - have the signals that matter arrive as something to read.
#
# What the program inherited (an ignored SIGCHLD, a blocked SIGALRM) is put right as well:
# ended children must be there to be counted, and a child's deadline must be able to end it.
#
# Out:     eax      the signal descriptor
# Clobbers: rcx, rdx, rsi, rdi, r10, r11
# Errors:  ends the program by fail
arrange_signals:
        mov     edi, SIGPIPE                    # a reader that has gone is an error like another
        mov     esi, SIG_IGN
        call    set_signal
        mov     edi, SIGCHLD
        xor     esi, esi                        # SIG_DFL
        call    set_signal
        mov     edi, SIGALRM
        xor     esi, esi
        call    set_signal

        mov     edi, SIG_SETMASK
        lea     rsi, [rip + blocked]
        xor     edx, edx
        mov     r10d, SIGNAL_SET_SIZE
        mov     eax, SYS_rt_sigprocmask
        syscall
        lea     rdi, [rip + call_sigprocmask]
        test    eax, eax
        js      fail

        mov     edi, SIGNALFD_CREATE
        lea     rsi, [rip + blocked]
        mov     edx, SIGNAL_SET_SIZE
        mov     r10d, SFD_NONBLOCK
        mov     eax, SYS_signalfd4
        syscall
        lea     rdi, [rip + call_signalfd]
        test    eax, eax
        js      fail
        ret

# set_signal - say what becomes of a signal.
#
# In:      edi      the signal
#          rsi      SIG_DFL or SIG_IGN
# Clobbers: rax, rcx, rdx, rsi, rdi, r10, r11
# Errors:  ends the program by fail
set_signal:
        lea     rdx, [rip + action]             # all else in it is and stays zero
        mov     [rdx + SIGACTION_handler], rsi
        mov     rsi, rdx
        xor     edx, edx                        # the old action is not asked for
        mov     r10d, SIGNAL_SET_SIZE
        mov     eax, SYS_rt_sigaction
        syscall
        lea     rdi, [rip + call_sigaction]
        test    eax, eax
        js      fail
        ret

# open_listener - a socket that clients can connect to, on all of the machine's addresses.
#
# In:      edi      the port; 0 lets the kernel choose
# Out:     eax      the socket
# Clobbers: rcx, rdx, rsi, rdi, r8, r10, r11
# Errors:  ends the program by fail
#
# For the length of this routine:
#   ebx    the socket
open_listener:
        push    rbx

        # The address: the family, the port with its high byte first, and 0.0.0.0.
        mov     eax, edi
        xchg    al, ah
        mov     [rip + address + SOCKADDR_IN_port], ax
        mov     word ptr [rip + address + SOCKADDR_IN_family], AF_INET

        # Not blocking: poll says that a client is there, but by then it may have gone again.
        mov     edi, AF_INET
        mov     esi, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC
        xor     edx, edx
        mov     eax, SYS_socket
        syscall
        lea     rdi, [rip + call_socket]
        test    eax, eax
        js      fail
        mov     ebx, eax

        # Without this, nobody could start the server again for a minute after it has ended.
        mov     edi, ebx
        mov     esi, SOL_SOCKET
        mov     edx, SO_REUSEADDR
        lea     r10, [rip + enabled]
        mov     r8d, SOCKET_OPTION_SIZE
        mov     eax, SYS_setsockopt
        syscall
        lea     rdi, [rip + call_setsockopt]
        test    eax, eax
        js      fail

        mov     edi, ebx
        lea     rsi, [rip + address]
        mov     edx, SOCKADDR_IN_SIZE
        mov     eax, SYS_bind
        syscall
        lea     rdi, [rip + call_bind]
        test    eax, eax
        js      fail

        mov     edi, ebx
        mov     esi, SOMAXCONN
        mov     eax, SYS_listen
        syscall
        lea     rdi, [rip + call_listen]
        test    eax, eax
        js      fail

        mov     eax, ebx
        pop     rbx
        ret

        .section .rodata
        counted call_sigaction, "rt_sigaction"
        counted call_sigprocmask, "rt_sigprocmask"
        counted call_signalfd, "signalfd4"
        counted call_socket, "socket"
        counted call_setsockopt, "setsockopt"
        counted call_bind, "bind"
        counted call_listen, "listen"
        .balign 8
blocked:
        .quad   BLOCKED_SIGNALS
enabled:
        .long   1

        .bss
        .balign 8
action: .skip   SIGACTION_SIZE
address:
        .skip   SOCKADDR_IN_SIZE

        .section .note.GNU-stack, "", @progbits
