#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Starts operating system threads with a stack large enough for graphs nested in graphs.
public enum ComputeThread {
    private static let stackBytes = 8 << 20
    /// What Linux leaves of a thread's name.
    private static let maximumNameBytes = 15

    /// What a thread is given: a pointer to this object, which the thread releases.
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = String(decoding: name.utf8.prefix(ComputeThread.maximumNameBytes), as: UTF8.self)
            self.run = run
        }
    }

    /// Starts a detached thread that runs a function and ends.
    ///
    /// - Parameters:
    ///   - name: Cut to 15 bytes.
    ///   - run: What the thread does.
    /// - Returns: Whether there is such a thread; false if the system gives no more.
    public static func start(name: String, _ run: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return false }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let body = Unmanaged.passRetained(Body(name: name, run: run))
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let code = pthread_create(&thread, &attributes, { ComputeThread.main($0) }, body.toOpaque())
        if code != 0 { body.release() }
        return code == 0
    }

    private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        setName(body.name)
        body.run()
        return nil
    }

    /// Names the calling thread; on Linux through the file that `pthread_setname_np`, too, writes to.
    private static func setName(_ name: String) {
        #if canImport(Darwin)
            pthread_setname_np(name)
        #else
            let file = open("/proc/thread-self/comm", O_WRONLY)
            guard file >= 0 else { return }
            _ = name.withCString { write(file, $0, strlen($0)) }
            close(file)
        #endif
    }
}
