/// Who sends spans.
public struct SpanResource: Hashable, Sendable {
    /// The name of the service, alike for all its processes.
    public var serviceName: String
    /// The version of the program.
    public var serviceVersion: String
    /// What tells this process from the others.
    public var instance: String

    /// A process of a service.
    ///
    /// - Parameters:
    ///   - serviceName: Alike for all processes.
    ///   - serviceVersion: The version of the program.
    ///   - instance: Random if not given.
    public init(
        serviceName: String,
        serviceVersion: String,
        instance: String = TraceID(high: .random(in: 1 ... .max), low: .random(in: 1 ... .max)).description
    ) {
        self.serviceName = serviceName
        self.serviceVersion = serviceVersion
        self.instance = instance
    }
}
