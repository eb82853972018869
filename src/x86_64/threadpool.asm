; threadpool: an HTTP server of five threads that are fed from a bounded queue.
;
;   threadpool [PORT]           ; 3000 unless given; 0 lets the kernel choose
;
;                                             +-> worker: read, answer, close
;   clients --> listener --> accept --> queue +-> worker
;                            main thread      +-> …  WORKERS of them
;
; The main thread accepts and nothing else: each connection goes into the queue, and when that is
; full the main thread waits for a place. A worker takes one connection at a time and sees it
; through. Threads are made by raw clone on stacks of our own; a lock and two conditions, made of
; futexes, keep the queue in order. There is no libc.
;
; SIGTERM and SIGINT are blocked and arrive as bytes of a descriptor that is watched beside the
; listener, so neither can come at a bad moment. After the first, nothing more is accepted, what is
; queued or running is answered, and the status is 0. A second one kills. When the queue is full a
; signal is seen once a place is free: within REQUEST_MS + ANSWER_MS, as no connection holds a
; worker for longer.
;
; One job per file, as included at the end.

%include "linux.inc"
%include "threadpool.inc"
%include "errno.inc"
%include "threadpool/must.inc"

section .bss

; The two descriptors that the main thread watches.
watched:
watched_listener:   resb pollfd_size
watched_signals:    resb pollfd_size
WATCHED             equ ($ - watched) / pollfd_size

section .text

; _start: where the kernel begins.
;   In        rsp = the startup structure
;   Out       never returns; status 0, 1 when a call failed, 2 when the arguments are wrong
global _start
_start:
    xor ebp, ebp                ; no frame above this one
    call ignore_broken_pipes    ; first, so that even the usage may meet one
    mov rdi, rsp
    call parse_port
    mov ebx, eax                ; port

    ; Signals come first: the threads inherit what is blocked.
    call open_signals
    mov [watched_signals + pollfd.fd], eax
    mov word [watched_signals + pollfd.events], POLLIN

    mov edi, ebx
    call open_listener
    mov [watched_listener + pollfd.fd], eax
    mov word [watched_listener + pollfd.events], POLLIN

    call start_workers
    mov edi, [watched_listener + pollfd.fd]
    call announce
    call accept_connections
    call finish

; accept_connections: put every connection into the queue until a signal asks to stop.
;   In        the watched descriptors
;   Out       returns when a signal waits to be read
;   Errors    a connection lost before it was taken is passed over; without descriptors or memory
;             it waits a little, for workers to give some back
;   Clobbers  rax, rcx, rdx, rsi, rdi, r10, r11
accept_connections:
    push rbx
.next:
    mov eax, SYS_poll
    lea rdi, [watched]
    mov esi, WATCHED
    mov edx, POLL_FOREVER
    syscall
    cmp rax, -EINTR
    je .next
    must "poll"
    cmp word [watched_signals + pollfd.revents], 0
    jne .stop

    ; The listener does not block either: what poll saw may have gone again.
    mov eax, SYS_accept4
    mov edi, [watched_listener + pollfd.fd]
    xor esi, esi                ; the client's address is of no interest
    xor edx, edx
    mov r10d, SOCK_NONBLOCK | SOCK_CLOEXEC
    syscall
    test eax, eax
    js .failed

    ; The clock of a request starts here, so waiting in the queue counts.
    mov ebx, eax                ; connection
    call now
    lea rsi, [rax + REQUEST_MS]
    mov edi, ebx
    call queue_put
    jmp .next

.failed:
    cmp eax, -EAGAIN
    je .next
    cmp eax, -EINTR
    je .next
    cmp eax, -ECONNABORTED
    je .next

    ; The listener stays ready although nothing can be taken from it: asking again at once would
    ; spin. Only a signal ends this wait early.
    mov eax, SYS_poll
    lea rdi, [watched_signals]
    mov esi, POLL_ONE
    mov edx, BACKOFF_MS
    syscall
    jmp .next

.stop:
    pop rbx
    ret

; finish: let the workers answer what is queued and running, then end the process.
;   In        the watched descriptors, a signal waiting
;   Out       never returns; status 0, or killed by a second signal
;   Errors    ends the program, naming the call
SIGNALS_READ    equ 2           ; both may have come; more there are not
finish:
    sub rsp, SIGNALS_READ * SIGNALFD_SIGINFO_SIZE

    ; Take what has come, then let the next one kill: somebody is in a hurry.
    mov eax, SYS_read
    mov edi, [watched_signals + pollfd.fd]
    mov rsi, rsp
    mov edx, SIGNALS_READ * SIGNALFD_SIGINFO_SIZE
    syscall
    mov edi, SIG_UNBLOCK
    call change_signals

    mov eax, SYS_close          ; new clients are refused from here on
    mov edi, [watched_listener + pollfd.fd]
    syscall

    call queue_close
    call wait_for_workers
    mov eax, SYS_exit_group
    mov edi, EXIT_OK
    syscall

%include "threadpool/start.inc"
%include "threadpool/sync.inc"
%include "threadpool/queue.inc"
%include "threadpool/worker.inc"
%include "threadpool/connection.inc"
%include "threadpool/request.inc"
%include "threadpool/fields.inc"
%include "threadpool/clock.inc"
%include "threadpool/fail.inc"
