/** What a browser sees that holds no session: where the link is. */
export function SignedOut() {
  return (
    <section className="card empty" role="alert">
      <h2>This browser is not signed in</h2>
      <p>
        Open the link that <code>interlock up</code> or the demo printed; it holds a token that is exchanged once. After
        a restart there is a new link.
      </p>
    </section>
  )
}
