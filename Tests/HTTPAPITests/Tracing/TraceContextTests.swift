import Testing

@testable import HTTPAPI

struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00f067aa0ba902b7"

    @Test(arguments: [("00", "01", true), ("00", "00", false), ("cc", "03", true)])
    func `the caller's trace is taken`(version: String, flags: String, isSampled: Bool) {
        let context = TraceContext(traceparent: "\(version)-\(Self.trace)-\(Self.parent)-\(flags)", id: "r")
        #expect(context.traceID.description == Self.trace)
        #expect(context.parentID?.description == Self.parent)
        #expect(context.isSampled == isSampled)
        #expect(context.spanID.description != Self.parent)
    }

    @Test func `a later version may say more`() {
        let context = TraceContext(traceparent: "01-\(Self.trace)-\(Self.parent)-01-more", id: "r")
        #expect(context.traceID.description == Self.trace)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-\(parent)", "ff-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-01-more",
        "00-\(trace.uppercased())-\(parent)-01", "00-\(String(repeating: "0", count: 32))-\(parent)-01",
        "00-\(trace)-0000000000000000-01", "00-\(trace)x-\(parent)-01", "00-\(trace)-\(parent)-0g",
    ])
    func `one that is not valid begins a new trace`(text: String) {
        let context = TraceContext(traceparent: text, id: "r")
        #expect(context == TraceContext(traceparent: nil, id: "r"))
        #expect(context.parentID == nil)
        #expect(context.traceID.description != Self.trace)
        for (id, count) in [(context.traceID.description, 32), (context.spanID.description, 16)] {
            #expect(id.count == count && id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
    }

    @Test func `every line about a request has the same ids, and every request its own`() {
        let contexts = (0..<1000).map { TraceContext(traceparent: nil, id: "request-\($0)") }
        #expect(Set(contexts.map(\.traceID)).count == 1000)
        #expect(Set(contexts.map(\.spanID)).count == 1000)
        #expect(contexts[7] == TraceContext(traceparent: nil, id: "request-7"))
    }

    @Test func `requests that clients name alike are told apart by a salt`() {
        let contexts = (0..<1000).map { TraceContext(traceparent: nil, id: "r", salt: $0) }
        #expect(Set(contexts.map(\.spanID)).count == 1000)
        #expect(Set(contexts.map(\.traceID)).count == 1000)
    }
}
